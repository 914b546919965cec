using Danm.Api;
using Danm.Netlink;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>What the API server says of a sandbox's Pod.</summary>
public enum PodSight
{
    /// <summary>It was not asked, or did not answer.</summary>
    Unknown,

    /// <summary>The Pod is there, under its UID.</summary>
    Exists,

    /// <summary>There is none of that UID.</summary>
    Gone,

    /// <summary>The sandbox belongs to no Pod, as with another orchestrator: only the node can tell.</summary>
    None,
}

/// <summary>
/// One sandbox as node and API server show it: by its journal, or by its objects where the journal is lost. Of a container that has
/// addresses through another plugin (<see cref="NodeState.Addresses"/>), each interface is one.
/// </summary>
public sealed record ObservedSandbox
{
    /// <summary>The sandbox's identity: K8S_POD_UID where the runtime gave it, else the Pod's UID.</summary>
    public required string PodUid { get; init; }

    /// <summary>CNI_CONTAINERID.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The Pod's namespace; null where nothing names a Pod.</summary>
    public string? PodNamespace { get; init; }

    /// <summary>The Pod's name.</summary>
    public string? PodName { get; init; }

    /// <summary>The journal; null if it is lost.</summary>
    public JournalSight? Journal { get; init; }

    /// <summary>Whether the journal is one of <see cref="NodeState.Addresses"/>: another plugin's interface, of which we have the addresses only.</summary>
    public bool IsAddressHolder { get; init; }

    /// <summary>Its DanmEps that the node's list has.</summary>
    public IReadOnlyList<DanmEp> Endpoints { get; init; } = [];

    /// <summary>Its addresses that the node's list has.</summary>
    public IReadOnlyList<IPAllocation> Allocations { get; init; } = [];

    /// <summary>What is at the path of its network namespace.</summary>
    public NamespaceSight Netns { get; init; }

    /// <summary>What the API server says of its Pod.</summary>
    public PodSight Pod { get; init; }

    /// <summary>
    /// When a call last wrote to its journal, by this node's clock; without a journal, when its youngest object was made, by the API
    /// server's. What is younger than the grace may have a create under way.
    /// </summary>
    public DateTimeOffset LastSign { get; init; }

    /// <summary>The journal's last record.</summary>
    public SandboxRecord? Record => Journal?.Last;

    /// <summary>Where its namespace is, or was: by the journal, else by its DanmEps.</summary>
    public string? NetnsPath => Record is null
        ? Endpoints.Select(e => e.Spec.Netns).FirstOrDefault(n => !string.IsNullOrEmpty(n))
        : Record.Netns;

    /// <summary>Whether a migration made one of its objects: only the operator, or the migration's end, gives it to the garbage.</summary>
    public bool IsImported => Endpoints.Select(e => e.Metadata).Concat(Allocations.Select(a => a.Metadata)).Any(ImportedObject.Is);
}
