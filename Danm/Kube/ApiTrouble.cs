using System.Collections.Concurrent;
using Danm.Cni;

namespace Danm.Kube;

/// <summary>What the API server refuses or does not answer, in the log: the same thing once a while, however often it is tried.</summary>
/// <param name="log">Writes a line.</param>
/// <param name="clock">The time.</param>
internal sealed class ApiTrouble(Action<string> log, TimeProvider clock)
{
    private const int MostRemembered = 1000, MaxLength = 2000;

    private static readonly TimeSpan Again = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, DateTimeOffset> said = new();

    /// <summary>Says it, unless it was said lately.</summary>
    public void Tell(string cause)
    {
        var now = clock.GetUtcNow();
        if (said.Count > MostRemembered)
            said.Clear();
        if (said.TryGetValue(cause, out var last) && now - last < Again)
            return;
        said[cause] = now;
        log(CniText.Clean(cause, MaxLength));
    }
}
