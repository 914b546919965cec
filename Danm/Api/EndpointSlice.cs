namespace Danm.Api;

/// <summary>A discovery.k8s.io/v1 EndpointSlice: a part of the addresses that a Service leads to, all of one family.</summary>
public sealed class EndpointSlice : IApiObject
{
    /// <summary>Its group and version.</summary>
    public const string GroupVersion = "discovery.k8s.io/v1";

    /// <summary>Its plural.</summary>
    public const string Plural = "endpointslices";

    /// <summary>Values of <see cref="AddressType"/>.</summary>
    public const string IPv4 = "IPv4", IPv6 = "IPv6";

    /// <summary>Label: the Service's name.</summary>
    public const string ServiceNameLabel = "kubernetes.io/service-name";

    /// <summary>Label: who writes the slice; others leave it alone.</summary>
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";

    /// <summary>Label, without a value: the Service has no virtual address.</summary>
    public const string HeadlessLabel = "service.kubernetes.io/headless";

    /// <summary>Annotation: when the first change happened that the slice shows, for measuring how long it took.</summary>
    public const string TriggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

    /// <summary>discovery.k8s.io/v1.</summary>
    public string? ApiVersion { get; set; } = GroupVersion;

    /// <summary>EndpointSlice.</summary>
    public string? Kind { get; set; } = "EndpointSlice";

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>IPv4 or IPv6; it never changes.</summary>
    public string AddressType { get; set => field = value ?? ""; } = "";

    /// <summary>The addresses.</summary>
    public List<Endpoint> Endpoints { get; set => field = value ?? []; } = [];

    /// <summary>The ports, of all the addresses alike.</summary>
    public List<EndpointPort> Ports { get; set => field = value ?? []; } = [];
}

/// <summary>Kubernetes' discovery.k8s.io/v1 Endpoint; two are equal if nobody has to be told of a difference.</summary>
public sealed record Endpoint
{
    /// <summary>One address in our case; of several, clients take the first.</summary>
    public EquatableList<string> Addresses { get; set => field = value ?? []; } = [];

    /// <summary>Whether to use it.</summary>
    public EndpointConditions Conditions { get; set => field = value ?? new(); } = new();

    /// <summary>The Pod's name within the Service's domain.</summary>
    public string? Hostname { get; set; }

    /// <summary>The Pod.</summary>
    public EndpointTarget? TargetRef { get; set; }

    /// <summary>Its node.</summary>
    public string? NodeName { get; set; }

    /// <summary>The node's zone.</summary>
    public string? Zone { get; set; }
}

/// <summary>Kubernetes' EndpointConditions.</summary>
public sealed record EndpointConditions
{
    /// <summary>Serving and not terminating, unless the Service publishes all.</summary>
    public bool? Ready { get; set; }

    /// <summary>Whether the Pod is ready, terminating or not.</summary>
    public bool? Serving { get; set; }

    /// <summary>Whether the Pod is being deleted.</summary>
    public bool? Terminating { get; set; }
}

/// <summary>The part of a core/v1 ObjectReference that an endpoint has.</summary>
public sealed record EndpointTarget
{
    /// <summary>Pod.</summary>
    public string? Kind { get; set; }

    /// <summary>Its namespace.</summary>
    public string? Namespace { get; set; }

    /// <summary>Its name.</summary>
    public string? Name { get; set; }

    /// <summary>Which one of that name.</summary>
    public string? Uid { get; set; }
}

/// <summary>Kubernetes' discovery.k8s.io/v1 EndpointPort.</summary>
public sealed record EndpointPort
{
    /// <summary>The Service port's name; empty for the only one.</summary>
    public string? Name { get; set; }

    /// <summary>TCP, UDP or SCTP.</summary>
    public string? Protocol { get; set; }

    /// <summary>1 to 65535.</summary>
    public int? Port { get; set; }

    /// <summary>What is spoken.</summary>
    public string? AppProtocol { get; set; }
}
