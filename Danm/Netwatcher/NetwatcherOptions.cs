using Danm.Attach;
using Danm.Kube.Serving;

namespace Danm.Netwatcher;

/// <summary>How netwatcher runs.</summary>
internal sealed record NetwatcherOptions
{
    /// <summary>metadata.name of this node.</summary>
    public required string NodeName { get; init; }

    /// <summary>This node as a CNI call finds it: what it left behind is seen to under the same configuration.</summary>
    public required LocalNode Node { get; init; }

    /// <summary>Whether VxLANs flood to multicast groups; else netwatchers tell each other their addresses.</summary>
    public bool Multicast { get; init; } = true;

    /// <summary>How long an interface must have been unwanted before it goes.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often what calls left on the node is seen to.</summary>
    public UpkeepPace Upkeep { get; init; } = new();

    /// <summary>Where the probes are answered; null: nowhere.</summary>
    public BindAddress? Health { get; init; }

    /// <summary>Where the metrics are; null: nowhere.</summary>
    public BindAddress? Metrics { get; init; }
}
