using Danm.Api;
using Danm.Cni;
using Danm.HostLinks;
using Danm.Kube.Events;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>Says what keeps networks from their interfaces: each thing once, in the log and as an Event of the network, until it is mended.</summary>
internal sealed class ProblemReport(EventRecorder events, ILogger log, TimeProvider clock)
{
    private const int MaxLength = 2000;
    private const string Reason = "HostInterfaceNotReady";

    // The API server forgets Events after an hour; what still holds is then to be seen again.
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(30);

    private readonly Dictionary<string, (string Message, DateTimeOffset Said)> told = [];

    /// <summary>How many networks lack their interface on this node.</summary>
    public int Count => told.Count;

    /// <summary>Takes what holds now.</summary>
    /// <param name="problems">All of them.</param>
    /// <param name="find">The object of a network's name; null: it is gone.</param>
    public void Tell(IReadOnlyList<LinkProblem> problems, Func<string, ObjectReference?> find)
    {
        var now = clock.GetUtcNow();
        foreach (var group in problems.GroupBy(p => p.Network))
        {
            var message = CniText.Clean(string.Join("; ", group.Select(p => p.Message)), MaxLength);
            var isLocal = group.All(p => p.IsLocal);
            var before = told.GetValueOrDefault(group.Key);
            if (before.Message != message && isLocal)
                log.IsNotForThisNode(group.Key, message);
            else if (before.Message != message)
                log.HasProblem(group.Key, message);
            else if (now - before.Said < Again)
                continue;
            told[group.Key] = (message, now);
            // What a node lacks by design is not the network's fault.
            if (!isLocal && find(group.Key) is { } network)
                events.Warn(network, Reason, string.Join("; ", group.Where(p => !p.IsLocal).Select(p => p.Message)));
        }

        foreach (var network in told.Keys.Except(problems.Select(p => p.Network)).ToList())
        {
            told.Remove(network);
            log.Mended(network);
        }
    }
}
