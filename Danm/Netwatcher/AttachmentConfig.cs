using System.Text;
using System.Text.Json;

namespace Danm.Netwatcher;

/// <summary>A CNI configuration, or list of them, as text, of which only the values of <c>master</c> can be changed.</summary>
internal sealed class AttachmentConfig
{
    private readonly byte[] text;

    private AttachmentConfig(byte[] text, string? name, IReadOnlyList<Plugin> plugins) => (this.text, Name, Plugins) = (text, name, plugins);

    /// <summary>The configuration's name.</summary>
    public string? Name { get; }

    /// <summary>Of a list its plugins, else the configuration itself.</summary>
    public IReadOnlyList<Plugin> Plugins { get; }

    /// <exception cref="JsonException">It is no JSON, or not of that form.</exception>
    /// <exception cref="InvalidOperationException">A text in it is none in Unicode.</exception>
    public static AttachmentConfig Parse(string text)
    {
        var config = Encoding.UTF8.GetBytes(text);
        string? name = null;
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

        return new(config, name, plugins.Count > 0 ? plugins : [own]);
    }

    /// <summary>The text with other values of <c>master</c>; all else stays to the letter, unknown keys, order and white space included.</summary>
    /// <param name="masters">Of plugins, in their order.</param>
    public string With(IEnumerable<(Plugin Plugin, string Master)> masters)
    {
        var edited = new List<byte>(text.Length + 64);
        var from = 0;
        foreach (var (plugin, master) in masters)
        {
            edited.AddRange(text.AsSpan(from, plugin.MasterPlace.Start.Value - from));
            edited.AddRange(Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(master)}\""));
            from = plugin.MasterPlace.End.Value;
        }

        edited.AddRange(text.AsSpan(from));
        return Encoding.UTF8.GetString([.. edited]);
    }

    /// <summary>What is ours of a plugin's configuration.</summary>
    public readonly record struct Plugin(string? Master, Range MasterPlace, int? Vlan, int? Vxlan)
    {
        /// <summary>Whether it asks for an interface of its own on its master.</summary>
        public bool IsEncapsulated => Vlan is not (null or 0) || Vxlan is not (null or 0);

        internal Plugin With(ref Utf8JsonReader reader)
        {
            if (reader.ValueTextEquals("master"u8))
            {
                reader.Read();
                var place = new Range((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                if (reader.TokenType == JsonTokenType.String)
                    return this with { Master = reader.GetString(), MasterPlace = place };
                // As with numbers below.
                reader.Skip();
                return this with { Master = null };
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
