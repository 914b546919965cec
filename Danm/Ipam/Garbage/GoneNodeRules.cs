using Danm.Api;

namespace Danm.Ipam.Garbage;

/// <summary>What the API server says of a node that objects name.</summary>
public enum NodeFate
{
    /// <summary>It is there, or nobody knows.</summary>
    Alive,

    /// <summary>Its Node object is absent, but not for the whole grace period.</summary>
    Absent,

    /// <summary>It is tainted out of service, but Ready: one of the two is wrong.</summary>
    TaintedButReady,

    /// <summary>Nothing runs on it any more.</summary>
    Gone,
}

/// <summary>Which nodes are gone. Never by a time-out of heartbeats: a node that only the network has lost still sends.</summary>
public static class GoneNodeRules
{
    /// <summary>Decides about a node.</summary>
    /// <param name="name">spec.nodeName of an object; null or empty where nobody knows it, as with what the original made.</param>
    /// <param name="node">The Node object; null if there is none.</param>
    /// <param name="absentFor">Since when it has been absent each time that anybody looked; zero when it was just noticed.</param>
    /// <param name="grace">How long it must have been absent.</param>
    public static NodeFate Decide(string? name, Node? node, TimeSpan absentFor, TimeSpan grace)
    {
        if (string.IsNullOrEmpty(name))
            return NodeFate.Alive;
        if (node is null)
            return absentFor > grace ? NodeFate.Gone : NodeFate.Absent;
        if (node.Spec.Taints?.Exists(t => t?.Key == NodeTaint.OutOfService) != true)
            return NodeFate.Alive;
        return node.Status.Conditions?.Find(c => c?.Type == "Ready") is { Status: "True" } ? NodeFate.TaintedButReady : NodeFate.Gone;
    }
}
