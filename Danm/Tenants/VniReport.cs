using Danm.Api;
using Danm.Kube.Events;
using Microsoft.Extensions.Logging;

namespace Danm.Tenants;

/// <summary>Says what only people can mend: in the log once, and as an Event again and again until it is mended.</summary>
internal sealed class VniReport(EventRecorder events, ILogger log, TimeProvider clock)
{
    // The API server forgets Events after an hour; what still holds is then to be seen again.
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(30);

    private Dictionary<string, long> told = [];

    /// <summary>Whether there is something to say that was not said lately.</summary>
    public bool IsNews(VniPlan plan) => Read(plan).Any(f => !told.TryGetValue(f.Key, out var said) || clock.GetElapsedTime(said) >= Again);

    /// <summary>Takes what holds now.</summary>
    public void Tell(VniPlan plan)
    {
        var next = new Dictionary<string, long>();
        foreach (var finding in Read(plan))
        {
            var isKnown = told.TryGetValue(finding.Key, out var said);
            if (!isKnown)
                log.HasProblem(finding.Message);
            var isDue = !isKnown || clock.GetElapsedTime(said) >= Again;
            if (isDue)
                events.Warn(finding.About, finding.Reason, finding.Told ?? finding.Message);
            next[finding.Key] = isDue ? clock.GetTimestamp() : said;
        }

        told = next;
    }

    private static IEnumerable<Finding> Read(VniPlan plan) => plan.Conflicts.Select(c => Of(c)).Concat(plan.Odd.Select(o => Of(o))).Concat(plan.Unreadable.Select(u => Of(u)));

    private static Finding Of(VniConflict conflict)
    {
        var (vni, older, younger) = (conflict.Vni, VniRules.RefOf(conflict.Older), VniRules.RefOf(conflict.Younger));
        return new Finding(
            new ObjectReference { ApiVersion = ApiNames.GroupVersion, Kind = ApiNames.TenantNetwork, Namespace = younger.Namespace, Name = younger.Name, Uid = conflict.Younger.Metadata.Uid },
            "VniConflict",
            Text($"{older}"))
        {
            Told = older.Namespace == younger.Namespace ? null : Text("one of another namespace"),
        };

        string Text(string who) => $"{younger} has {vni}, as {who} has, which is older: their Pods are on one wire. Delete {younger} and create it again, so that it gets an id of its own";
    }

    private static Finding Of(OddVni odd)
    {
        var metadata = odd.Allocation.Metadata;
        return new Finding(
            new ObjectReference { ApiVersion = ApiNames.GroupVersion, Kind = ApiNames.VNIAllocation, Name = metadata.Name, Uid = metadata.Uid },
            "VniAllocationUnusable",
            $"VNIAllocation {metadata.Name}: {odd.Reason}. Danm did not write it so and leaves it alone; delete it if nobody needs it");
    }

    private static Finding Of(UnreadableNetwork network)
    {
        var metadata = network.Metadata;
        var about = new NetworkRef(NetworkKind.TenantNetwork, metadata.Namespace, metadata.Name ?? "");
        return new Finding(
            new ObjectReference { ApiVersion = ApiNames.GroupVersion, Kind = ApiNames.TenantNetwork, Namespace = about.Namespace, Name = about.Name, Uid = metadata.Uid },
            "TenantNetworkUnreadable",
            $"{about} cannot be read: {network.Fault}. No id that it may have is freed; mend it, or delete it");
    }

    private sealed record Finding(ObjectReference About, string Reason, string Message)
    {
        /// <summary>What the Event says where it stands in a namespace whose people need not learn all of the message; null: the message.</summary>
        public string? Told { get; init; }

        public string Key => $"{About.Uid}\n{Message}";
    }
}
