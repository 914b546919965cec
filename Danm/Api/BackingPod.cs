namespace Danm.Api;

/// <summary>The members of a core/v1 Pod that decide whether and how a Service leads to it. A cluster has many: annotations are dropped.</summary>
public sealed class BackingPod : IApiObject
{
    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = (value ?? new()).ForSelection(); } = new();

    /// <summary>Where it runs, and its name in DNS.</summary>
    public BackingPodSpec Spec { get; set => field = value ?? new(); } = new();

    /// <summary>How it is.</summary>
    public BackingPodStatus Status { get; set => field = value ?? new(); } = new();
}

/// <summary>The part of a Pod's spec that Services need.</summary>
public sealed class BackingPodSpec
{
    /// <summary>The Kubernetes node.</summary>
    public string? NodeName { get; set => field = SharedText.Of(value); }

    /// <summary>Its name in DNS; StatefulSets give one.</summary>
    public string? Hostname { get; set; }
}

/// <summary>The part of a Pod's status that Services need.</summary>
public sealed class BackingPodStatus
{
    private const string Ready = "Ready";

    /// <summary>Pending, Running, Succeeded, Failed or Unknown.</summary>
    public string? Phase { get; set => field = SharedText.Of(value); }

    /// <summary>Readiness gates are part of the condition Ready; the others are dropped.</summary>
    public List<PodCondition>? Conditions
    {
        get;
        set
        {
            field = value;
            field?.RemoveAll(static c => c.Type != Ready);
            field?.TrimExcess();
        }
    }

    /// <summary>The condition Ready; null as long as the kubelet has not said anything.</summary>
    public PodCondition? ReadyCondition => Conditions?.Find(static c => c.Type == Ready);
}

/// <summary>Kubernetes' core/v1 PodCondition.</summary>
public sealed record PodCondition
{
    /// <summary>Ready, and others.</summary>
    public string? Type { get; set => field = SharedText.Of(value); }

    /// <summary>True, False or Unknown.</summary>
    public string? Status { get; set => field = SharedText.Of(value); }

    /// <summary>RFC 3339: since when.</summary>
    public string? LastTransitionTime { get; set => field = SharedText.Of(value); }
}
