using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.HostLinks;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>
/// A NetworkAttachmentDefinition as netwatcher reads it: for each plugin of its configuration that has a <c>vlan</c> or <c>vxlan</c>, an
/// interface on the device that <c>master</c> named, or had named before it was led to that interface.
/// </summary>
/// <param name="Object">As the server has it.</param>
/// <param name="Wishes">The interfaces.</param>
/// <param name="Problem">Why there are fewer than it says.</param>
/// <param name="Rewrite">What it must say for its Pods to be on those interfaces; null if it does, or need not.</param>
internal sealed record AttachmentDefinition(NetworkAttachmentDefinition Object, IReadOnlyList<WantedLink> Wishes, string? Problem, DefinitionRewrite? Rewrite)
{
    private const int MaxConfig = 1 << 20;

    public string Name => NameOf(Object);

    public static AttachmentDefinition Read(NetworkAttachmentDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        if (string.IsNullOrWhiteSpace(definition.Spec.Config) || definition.Spec.Config.Length > MaxConfig)
            return new(definition, [], null, null);
        var config = Encoding.UTF8.GetBytes(definition.Spec.Config);
        try
        {
            return Read(definition, config, Plugins(config, out var networkId), networkId);
        }
        catch (Exception e) when (e is JsonException or NetworkFaultException or InvalidOperationException)
        {
            return new(definition, [], $"spec.config cannot be used: {e.Message}", null);
        }
    }

    private static AttachmentDefinition Read(NetworkAttachmentDefinition definition, byte[] config, List<Plugin> plugins, string? networkId)
    {
        var wishes = new List<WantedLink>();
        var masters = definition.Metadata.Annotations?.GetValueOrDefault(NetworkAttachmentDefinition.OriginalMasterAnnotation)?.Split(',') ?? [];
        var devices = new List<string>();
        var edits = new List<(Range Place, string Text)>();
        foreach (var plugin in plugins.Where(p => p is { Master.Length: > 0, Vlan: > 0 } or { Master.Length: > 0, Vxlan: > 0 }))
        {
            var network = new Network
            {
                Spec = new NetworkSpec { NetworkId = networkId, Options = new NetworkOptions { Vlan = plugin.Vlan, Vxlan = plugin.Vxlan, HostDevice = plugin.Master } },
            };
            if (NetworkRules.Check(network) is { Count: > 0 } faults)
                throw new NetworkFaultException(faults);
            var parent = ParentLink.Of(network);
            if (plugin.Master == parent.Name)
            {
                // Led there before, by us or by the original, which did not write down from where.
                network.Spec.Options.HostDevice = devices.Count < masters.Length ? masters[devices.Count] : null;
                if (string.IsNullOrEmpty(network.Spec.Options.HostDevice))
                    return new(definition, wishes, $"master is \"{parent.Name}\" already, and no annotation {NetworkAttachmentDefinition.OriginalMasterAnnotation} says which device it is on: set it to the device's name", null);
                parent = ParentLink.Of(network);
            }
            else
            {
                edits.Add((plugin.MasterPlace, parent.Name));
            }

            devices.Add(parent.HostDevice);
            wishes.Add(new WantedLink(NameOf(definition), parent, null, definition.Metadata.CreationTimestamp ?? ""));
        }

        return new(definition, wishes, null, edits.Count == 0 ? null : new DefinitionRewrite(Edit(config, edits), string.Join(',', devices)));
    }

    private static string NameOf(NetworkAttachmentDefinition definition) => $"{NetworkAttachmentDefinition.KindName}/{definition.Metadata.Namespace}/{definition.Metadata.Name}";

    // Only the values of master change: everything else stays to the letter, unknown keys, order and white space included.
    private static string Edit(byte[] config, List<(Range Place, string Text)> edits)
    {
        var text = new List<byte>(config.Length + 64);
        var from = 0;
        foreach (var (place, name) in edits)
        {
            text.AddRange(config.AsSpan(from, place.Start.Value - from));
            text.AddRange(Encoding.UTF8.GetBytes($"\"{name}\""));
            from = place.End.Value;
        }

        text.AddRange(config.AsSpan(from));
        return Encoding.UTF8.GetString([.. text]);
    }

    private static List<Plugin> Plugins(byte[] config, out string? name)
    {
        name = null;
        var reader = new Utf8JsonReader(config, new JsonReaderOptions { MaxDepth = 32 });
        var plugins = new List<Plugin>();
        var own = new Plugin();
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("not an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8))
            {
                reader.Read();
                name = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("name is no text");
            }
            else if (reader.ValueTextEquals("plugins"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartArray)
                    throw new JsonException("plugins is no list");
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    if (reader.TokenType != JsonTokenType.StartObject)
                        throw new JsonException("plugins has an item that is no object");
                    var plugin = new Plugin();
                    while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                        plugin = plugin.With(ref reader);
                    plugins.Add(plugin);
                }
            }
            else
            {
                own = own.With(ref reader);
            }
        }

        // What follows the object makes the reader throw.
        while (reader.Read())
        {
        }

        return plugins.Count > 0 ? plugins : [own];
    }

    private readonly record struct Plugin(string? Master, Range MasterPlace, int? Vlan, int? Vxlan)
    {
        public Plugin With(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("master"u8))
            {
                reader.Read();
                return this with
                {
                    Master = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("master is no text"),
                    MasterPlace = new Range((int)reader.TokenStartIndex, (int)reader.BytesConsumed),
                };
            }

            if (reader.ValueTextEquals("vlan"u8))
                return this with { Vlan = Number(ref reader, "vlan") };
            if (reader.ValueTextEquals("vxlan"u8))
                return this with { Vxlan = Number(ref reader, "vxlan") };
            reader.Read();
            reader.Skip();
            return this;
        }

        // Another plugin may mean something else by the key: what is no number is not ours.
        private static int? Number(ref Utf8JsonReader reader, string key)
        {
            reader.Read();
            if (reader.TokenType is JsonTokenType.Number)
                return reader.TryGetInt32(out var value) ? value : throw new JsonException($"{key} is no whole number");
            reader.Skip();
            return null;
        }
    }
}

/// <summary>What a NetworkAttachmentDefinition must say.</summary>
/// <param name="Config">spec.config.</param>
/// <param name="OriginalMaster">The annotation.</param>
internal sealed record DefinitionRewrite(string Config, string OriginalMaster);
