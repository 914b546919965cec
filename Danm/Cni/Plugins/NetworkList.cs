namespace Danm.Cni.Plugins;

/// <summary>
/// A network as a runtime configures it (CNI specification 1.1.0, section 1): a chain of plugins. A single plugin's configuration is
/// a chain of one.
/// </summary>
public sealed record NetworkList
{
    /// <summary><c>name</c>; empty if the file has none.</summary>
    public string Name { get; init; } = "";

    /// <summary>The version to speak with the plugins; null if the file has none, which means 0.1.0.</summary>
    public SpecVersion? Version { get; init; }

    /// <summary>All that it says it may be called in: <c>cniVersion</c> and <c>cniVersions</c>.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary><c>disableCheck</c>: CHECK is not for these plugins.</summary>
    public bool DisableCheck { get; init; }

    /// <summary><c>disableGC</c>: GC is not for these plugins.</summary>
    public bool DisableGc { get; init; }

    /// <summary>The chain, in the order of ADD.</summary>
    public IReadOnlyList<PluginConf> Plugins { get; init; } = [];
}

/// <summary>One plugin of a chain.</summary>
/// <param name="Type">The name of its executable.</param>
/// <param name="Json">Its configuration, as it stands in the file.</param>
public sealed record PluginConf(string Type, ReadOnlyMemory<byte> Json)
{
    /// <summary>The members of <c>capabilities</c> that are true: what of runtimeConfig it wants.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Whether it has an <c>ipam</c>.</summary>
    public bool HasIpam { get; init; }
}
