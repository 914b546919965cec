namespace Danm.Netwatcher;

/// <summary>How netwatcher runs.</summary>
public sealed record NetwatcherOptions
{
    /// <summary>metadata.name of this node.</summary>
    public required string NodeName { get; init; }

    /// <summary>Whether VxLANs flood to multicast groups; else netwatchers tell each other their addresses.</summary>
    public bool Multicast { get; init; } = true;

    /// <summary>How long an interface must have been unwanted before it goes.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(2);
}
