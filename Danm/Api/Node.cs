namespace Danm.Api;

/// <summary>The few members of a core/v1 Node that tell whether it is lost.</summary>
public sealed class Node : IApiObject
{
    /// <summary>Name and uid.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Its taints.</summary>
    public NodeSpec Spec { get; set => field = value ?? new(); } = new();

    /// <summary>Its conditions.</summary>
    public NodeStatus Status { get; set => field = value ?? new(); } = new();
}

/// <summary>The part of a Node's spec that we use.</summary>
public sealed class NodeSpec
{
    /// <summary>What keeps Pods away.</summary>
    public List<NodeTaint>? Taints { get; set; }
}

/// <summary>Kubernetes' core/v1 Taint.</summary>
public sealed class NodeTaint
{
    /// <summary>The operator's word that a node is shut down for good: Pods and volumes may be taken from it.</summary>
    public const string OutOfService = "node.kubernetes.io/out-of-service";

    /// <summary>What it says.</summary>
    public string? Key { get; set; }
}

/// <summary>The part of a Node's status that we use.</summary>
public sealed class NodeStatus
{
    /// <summary>Each by its type.</summary>
    public List<NodeCondition>? Conditions { get; set; }
}

/// <summary>Kubernetes' core/v1 NodeCondition.</summary>
public sealed class NodeCondition
{
    /// <summary>Ready, and others.</summary>
    public string? Type { get; set; }

    /// <summary>True, False or Unknown.</summary>
    public string? Status { get; set; }
}
