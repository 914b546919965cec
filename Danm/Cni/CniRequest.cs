namespace Danm.Cni;

/// <summary>One call of a runtime: the CNI_* variables and the configuration, checked (specification 1.1.0, section 2).</summary>
public sealed record CniRequest
{
    /// <summary>CNI_COMMAND.</summary>
    public required CniCommand Command { get; init; }

    /// <summary>CNI_CONTAINERID; empty for GC and STATUS.</summary>
    public string ContainerId { get; init; } = "";

    /// <summary>CNI_NETNS: path of the container's network namespace; null on a DEL after it is gone, and for GC and STATUS.</summary>
    public string? Netns { get; init; }

    /// <summary>CNI_IFNAME; empty for GC and STATUS.</summary>
    public string IfName { get; init; } = "";

    /// <summary>CNI_ARGS.</summary>
    public CniArgs Args { get; init; } = new();

    /// <summary>CNI_ARGS as it came in; null if it did not.</summary>
    public string? ArgsText { get; init; }

    /// <summary>CNI_PATH: the folders of plugins, in the order to search; may be empty.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];

    /// <summary>The configuration.</summary>
    public required NetConf Config { get; init; }
}
