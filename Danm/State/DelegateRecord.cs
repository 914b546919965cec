using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.State;

/// <summary>
/// What the plugins of one interface were called with, so that DEL, CHECK and GC call them with the same (CNI specification 1.1.0,
/// section 2 "Cached result"), whatever has become of the network object and of the file since.
/// </summary>
public sealed record DelegateRecord
{
    /// <summary>The network's name in the configurations.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>The specification's version in the configurations; null where they have none.</summary>
    public string? CniVersion { get; init; }

    /// <summary>CHECK is not for these plugins.</summary>
    public bool DisableCheck { get; init; }

    /// <summary>GC is not for these plugins.</summary>
    public bool DisableGc { get; init; }

    /// <summary>The chain, in the order of ADD.</summary>
    public IReadOnlyList<PluginRecord> Plugins { get; init => field = [.. (value ?? []).Where(p => p is not null)]; } = [];

    /// <summary>The JSON text of what the last plugin answered to ADD; null if ADD did not come so far.</summary>
    public string? Result { get; init; }

    /// <summary>What a later build has written besides; written back as it was.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }
}

/// <summary>One plugin of a chain.</summary>
/// <param name="Type"><see cref="Type"/>.</param>
/// <param name="Config"><see cref="Config"/>.</param>
public sealed record PluginRecord(string Type, string Config)
{
    // A damaged journal may have null: a plugin without a name is none that can be found, and no configuration is one that is refused.

    /// <summary>The name of its executable.</summary>
    public string Type { get; init; } = Type ?? "";

    /// <summary>The JSON text of its configuration, without prevResult.</summary>
    public string Config { get; init; } = Config ?? "";
}
