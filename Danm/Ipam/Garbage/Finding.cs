namespace Danm.Ipam.Garbage;

/// <summary>What a pass found or did.</summary>
public enum FindingKind
{
    /// <summary>Freed.</summary>
    Freed,

    /// <summary>An IPAllocation that a living sandbox misses was made again.</summary>
    Restored,

    /// <summary>May be garbage: a later pass will know.</summary>
    Waiting,

    /// <summary>A call of the runtime is at work for it.</summary>
    Busy,

    /// <summary>Looks leaked, but nothing proves it.</summary>
    Suspect,

    /// <summary>A living sandbox uses an address that another one holds.</summary>
    Conflict,

    /// <summary>Everything looks dead: namespaces are looked for in the wrong place.</summary>
    WrongMount,

    /// <summary>It was to be freed or made again, and could not be, or not wholly.</summary>
    Failed,
}

/// <summary>One thing that a pass found or did; with a dry run, that it would have done.</summary>
/// <param name="Kind">What.</param>
/// <param name="Reason">Why, for an operator.</param>
public sealed record Finding(FindingKind Kind, string Reason)
{
    /// <summary>The Pod's namespace, where a Pod is known.</summary>
    public string? PodNamespace { get; init; }

    /// <summary>The Pod's name.</summary>
    public string? PodName { get; init; }

    /// <summary>The Pod's UID.</summary>
    public string? PodUid { get; init; }

    /// <summary>The sandbox.</summary>
    public string? ContainerId { get; init; }

    /// <summary>The names of IPAllocations that it is about.</summary>
    public IReadOnlyList<string> Allocations { get; init; } = [];

    /// <summary>The finding about a sandbox, with the addresses that it is known to have.</summary>
    internal static Finding Of(FindingKind kind, ObservedSandbox sandbox, string reason) => new(kind, reason)
    {
        PodNamespace = sandbox.PodNamespace,
        PodName = sandbox.PodName,
        PodUid = sandbox.PodUid,
        ContainerId = sandbox.ContainerId,
        Allocations =
        [
            .. sandbox.Allocations.Select(a => a.Metadata.Name ?? "")
                .Concat(sandbox.Record?.Claims.Where(c => c.Kind == Api.ApiNames.IPAllocation && c.Uid is not null).Select(c => c.Name) ?? [])
                .Distinct(),
        ],
    };
}
