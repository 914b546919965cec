using System.Text;
using System.Text.Json;

namespace Danm.Cni.Plugins;

/// <summary>
/// Changes a few top-level members of a plugin's configuration. All others stay as they are in the file: order, unknown keys, the
/// text of numbers.
/// </summary>
public static class PluginConfWriter
{
    /// <summary>Replaces, adds and removes members.</summary>
    /// <param name="json">The configuration.</param>
    /// <param name="changes">
    /// Name and JSON text of each member; an empty text removes it. A member that is there keeps its place, others come last.
    /// </param>
    public static ReadOnlyMemory<byte> Change(ReadOnlyMemory<byte> json, IReadOnlyList<KeyValuePair<string, ReadOnlyMemory<byte>>> changes)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var reader = new CniJsonReader(json, "the configuration", CniErrorCode.InvalidNetworkConfig);
        var members = new List<KeyValuePair<string, ReadOnlyMemory<byte>>>();
        while (reader.NextMember(out var key))
        {
            var name = Encoding.UTF8.GetString(key);
            members.Add(new(name, reader.RawValue()));
        }

        foreach (var change in changes)
        {
            var place = members.FindIndex(m => m.Key == change.Key);
            members.RemoveAll(m => m.Key == change.Key);
            if (!change.Value.IsEmpty)
                members.Insert(place < 0 ? members.Count : Math.Min(place, members.Count), change);
        }

        return CniJsonWriter.Object(members, static (writer, members) =>
        {
            foreach (var (name, value) in members)
            {
                writer.WritePropertyName(name);
                writer.WriteRawValue(value.Span, skipInputValidation: true);
            }
        });
    }

    /// <summary>A member with a string.</summary>
    public static KeyValuePair<string, ReadOnlyMemory<byte>> Text(string name, string value) =>
        new(name, Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(value)}\""));

    /// <summary>The members of a runtimeConfig that a plugin declares a capability for; empty if there are none.</summary>
    public static ReadOnlyMemory<byte> RuntimeConfigFor(PluginConf plugin, ReadOnlyMemory<byte>? runtimeConfig)
    {
        ArgumentNullException.ThrowIfNull(plugin);
        if (runtimeConfig is not { IsEmpty: false } all || plugin.Capabilities.Count == 0)
            return default;
        var reader = new CniJsonReader(all, "runtimeConfig", CniErrorCode.InvalidNetworkConfig);
        var members = new List<KeyValuePair<string, ReadOnlyMemory<byte>>>();
        while (reader.NextMember(out var key))
        {
            var name = Encoding.UTF8.GetString(key);
            var value = reader.RawValue();
            if (plugin.Capabilities.Contains(name))
                members.Add(new(name, value));
        }

        return members.Count == 0 ? default : Change("{}"u8.ToArray(), members);
    }
}
