using Danm.Kube.Elections;
using Danm.Kube.Serving;

namespace Danm.Svcwatcher;

/// <summary>How the svcwatcher runs.</summary>
internal sealed record SvcwatcherOptions
{
    /// <summary>The Lease's name.</summary>
    public const string LeaseName = "danm-svcwatcher";

    /// <summary>The election that it stands in; null: it works without one, as the only replica.</summary>
    public LeaderElectorOptions? Election { get; init; }

    /// <summary>Whether Endpoints are written too.</summary>
    public bool Endpoints { get; init; }

    /// <summary>Where the probes are answered; null: nowhere.</summary>
    public BindAddress? Health { get; init; }

    /// <summary>Where the metrics are; null: nowhere.</summary>
    public BindAddress? Metrics { get; init; }
}
