using Danm.Ipam.Garbage;
using Danm.Kube.Elections;
using Danm.Kube.Serving;
using Danm.Tenants;

namespace Danm.Controller;

/// <summary>How the controller runs.</summary>
internal sealed record ControllerOptions
{
    /// <summary>The Lease's name.</summary>
    public const string LeaseName = "danm-controller";

    /// <summary>The election that it stands in; null: it works without one, as the only replica.</summary>
    public LeaderElectorOptions? Election { get; init; }

    /// <summary>Addresses of nodes that are gone.</summary>
    public GoneNodeOptions Nodes { get; init; } = new();

    /// <summary>VLAN and VxLAN ids of TenantNetworks.</summary>
    public VniRepairOptions Vnis { get; init; } = new();

    /// <summary>Where the probes are answered; null: nowhere.</summary>
    public BindAddress? Health { get; init; }

    /// <summary>Where the metrics are; null: nowhere.</summary>
    public BindAddress? Metrics { get; init; }
}
