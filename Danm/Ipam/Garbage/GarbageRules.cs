using Danm.Netlink;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>
/// Which sandboxes of a node are garbage. Three things must hold, each on its own evidence: the network namespace is dead, the Pod is
/// gone or lives on in a newer sandbox, and no ADD can be at work. Inodes are not evidence: the kernel uses them again at once.
/// </summary>
/// <remarks>
/// That no ADD is at work the journal's lock proves, which whoever frees must hold; the grace is for what no lock sees, a create of a
/// killed ADD that the API server still carries out (its request time-out is 60 s).
/// </remarks>
public static class GarbageRules
{
    /// <summary>How old the last sign of a sandbox must be.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether the decision needs a look at the sandbox's Pod. Of those that live it does not, so that a pass asks the API server about
    /// what looks dead only.
    /// </summary>
    public static bool NeedsPod(ObservedSandbox sandbox, string bootId)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        return sandbox.Record is { } record
            ? record.Phase != SandboxPhase.Deferred && (sandbox.Netns != NamespaceSight.Present || IsOfAnotherBoot(record, bootId))
            : sandbox.Netns != NamespaceSight.Present;
    }

    /// <summary>Decides about every sandbox.</summary>
    public static IReadOnlyList<Verdict> Decide(NodeView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var current = view.Sandboxes.Where(s => Lives(s, view.BootId)).ToLookup(s => s.PodUid);
        // One that the journal knows and that is there, or was, shows that this is where namespaces are. A DanmEp is a tenant's to write.
        var seesNamespaces = view.HasSeenNamespaces || current.Count > 0;
        return [.. view.Sandboxes.Select(s => Decide(s, view, current, seesNamespaces))];
    }

    /// <summary>Whether a sandbox of the journal is there, and not about to go.</summary>
    internal static bool Lives(ObservedSandbox sandbox, string bootId) =>
        sandbox is { Record: { Phase: not SandboxPhase.Deferred } record, Netns: NamespaceSight.Present } && !IsOfAnotherBoot(record, bootId);

    private static Verdict Decide(ObservedSandbox s, NodeView view, ILookup<string, ObservedSandbox> current, bool seesNamespaces)
    {
        if (s.Record?.Phase == SandboxPhase.Deferred)
            return new Verdict(s, Outcome.Free, "its release was begun, and waits for the API server");
        var isOfAnotherBoot = s.Record is { } record && IsOfAnotherBoot(record, view.BootId);
        if (s.Netns == NamespaceSight.Present && !isOfAnotherBoot)
            return new Verdict(s, Outcome.Keep, "its network namespace is there");
        if (s is { Journal: { Last: null, IsDamaged: false }, Endpoints.Count: 0, Allocations.Count: 0 })
            return TooYoung(s, view) ?? new Verdict(s, Outcome.Free, "its ADD ended before it made anything");
        if (s.Pod == PodSight.Unknown)
            return new Verdict(s, Outcome.Wait, "the API server does not tell whether its Pod exists");
        var successor = current[s.PodUid].FirstOrDefault(o => o.ContainerId != s.ContainerId && IsOfSamePod(o, s));
        if (s.Pod == PodSight.Exists && successor is null)
            return new Verdict(s, Outcome.Keep, "its Pod exists and has no newer sandbox on this node");
        if (s.IsImported)
            return new Verdict(s, Outcome.Suspect, "it was imported from the original, so this node knows nothing of its sandbox");
        if (Unprovable(s, isOfAnotherBoot) is { } lack)
            return new Verdict(s, Outcome.Suspect, lack);
        if (!isOfAnotherBoot && !seesNamespaces)
            return new Verdict(s, Outcome.WrongMount, $"no network namespace of any sandbox is seen, nor {s.NetnsPath}: they are looked for in the wrong place");
        if (TooYoung(s, view) is { } wait)
            return wait;
        var dead = isOfAnotherBoot ? "the node has booted since" : $"its network namespace {s.NetnsPath} is gone";
        return new Verdict(s, Outcome.Free, s.Pod switch
        {
            PodSight.Gone => $"{dead}, and its Pod is gone",
            PodSight.None => $"{dead}, and it belongs to no Pod",
            _ => $"{dead}, and its Pod has the newer sandbox {Short(successor!.ContainerId)}",
        });
    }

    // A runtime that does not tell the Pod's UID tells its name.
    private static bool IsOfSamePod(ObservedSandbox one, ObservedSandbox other) =>
        one.PodUid.Length > 0 || (one.PodName is not null && (one.PodNamespace, one.PodName) == (other.PodNamespace, other.PodName));

    private static Verdict? TooYoung(ObservedSandbox s, NodeView view) => view.Now - s.LastSign is var age && age <= Grace
        ? new Verdict(s, Outcome.Wait, $"its last sign is {Math.Max(0, (long)age.TotalSeconds)} s old: what its ADD began may still come, until that is over {Grace.TotalMinutes:0} min")
        : null;

    private static string? Unprovable(ObservedSandbox s, bool isOfAnotherBoot)
    {
        if (isOfAnotherBoot)
            return null;
        if (s.Journal is { IsDamaged: true } && s.Endpoints.Count == 0)
            return "its journal is damaged, and no DanmEp tells where its network namespace was";
        if (s.Journal is null && s.Pod == PodSight.None)
            return "this node has no journal of it, and no Pod of Kubernetes owns it";
        if (s.Journal is null && s.Endpoints.Count == 0)
            return "its Pod is gone, but this node has neither a journal nor a DanmEp of it that could prove its sandbox dead";
        return s.Netns == NamespaceSight.Gone ? null : "nothing proves that its network namespace is gone";
    }

    private static bool IsOfAnotherBoot(SandboxRecord record, string bootId) =>
        record.BootId is { Length: > 0 } boot && bootId.Length > 0 && boot != bootId;

    private static string Short(string containerId) => containerId[..Math.Min(12, containerId.Length)];
}
