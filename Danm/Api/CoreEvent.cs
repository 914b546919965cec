namespace Danm.Api;

/// <summary>A core/v1 Event: what <c>kubectl describe</c> shows below an object.</summary>
public sealed class CoreEvent
{
    /// <summary>v1.</summary>
    public string? ApiVersion { get; set; } = "v1";

    /// <summary>Event.</summary>
    public string? Kind { get; set; } = "Event";

    /// <summary>In the namespace of the object, <c>default</c> for cluster-scoped ones.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>The object.</summary>
    public ObjectReference InvolvedObject { get; set => field = value ?? new(); } = new();

    /// <summary>Normal or Warning.</summary>
    public string? Type { get; set; }

    /// <summary>One word in CamelCase, at most 128 characters.</summary>
    public string? Reason { get; set; }

    /// <summary>For people, at most 1024 bytes.</summary>
    public string? Message { get; set; }

    /// <summary>Who says so.</summary>
    public EventSource? Source { get; set; }

    /// <summary>RFC 3339, whole seconds.</summary>
    public string? FirstTimestamp { get; set; }

    /// <summary>RFC 3339, whole seconds.</summary>
    public string? LastTimestamp { get; set; }

    /// <summary>How often since the first time.</summary>
    public int? Count { get; set; }
}

/// <summary>What changes of an Event when it is said again.</summary>
public sealed class CoreEventCount
{
    /// <summary>How often since the first time.</summary>
    public int Count { get; set; }

    /// <summary>RFC 3339, whole seconds.</summary>
    public string? LastTimestamp { get; set; }

    /// <summary>As it was said last.</summary>
    public string? Message { get; set; }
}

/// <summary>Kubernetes' core/v1 EventSource.</summary>
public sealed class EventSource
{
    /// <summary>The program.</summary>
    public string? Component { get; set; }

    /// <summary>The node.</summary>
    public string? Host { get; set; }
}

/// <summary>Kubernetes' core/v1 ObjectReference.</summary>
public sealed class ObjectReference
{
    /// <summary>Group and version.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Kind.</summary>
    public string? Kind { get; set; }

    /// <summary>Null for cluster-scoped kinds.</summary>
    public string? Namespace { get; set; }

    /// <summary>metadata.name.</summary>
    public string? Name { get; set; }

    /// <summary>metadata.uid.</summary>
    public string? Uid { get; set; }
}
