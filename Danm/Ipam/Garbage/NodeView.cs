namespace Danm.Ipam.Garbage;

/// <summary>All that the decisions of one pass on a node stand on.</summary>
/// <param name="BootId">The kernel's boot; empty where it does not say, and then no boot proves anything.</param>
/// <param name="Now">The time.</param>
/// <param name="Sandboxes">Every sandbox of the node.</param>
/// <param name="HasSeenNamespaces">Whether an earlier look at the same place saw the namespace of a sandbox that the journal knows.</param>
public sealed record NodeView(string BootId, DateTimeOffset Now, IReadOnlyList<ObservedSandbox> Sandboxes, bool HasSeenNamespaces = false);
