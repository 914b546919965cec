namespace Danm.Cni.Plugins;

/// <summary>Reads a <c>.conf</c>, <c>.json</c> or <c>.conflist</c> file's content.</summary>
public static class NetworkListReader
{
    private const int MaxPlugins = 64;

    /// <summary>Reads the configuration of one plugin, or of a chain where the document has <c>plugins</c>.</summary>
    /// <param name="json">The document; the result keeps it.</param>
    /// <param name="source">What it is, for messages: the file's path.</param>
    /// <exception cref="CniException">Code 6: no JSON object. Code 7: a key has a wrong value.</exception>
    public static NetworkList Read(ReadOnlyMemory<byte> json, string source)
    {
        var list = new NetworkList();
        List<PluginConf>? plugins = null;
        var versions = new List<string>();
        var reader = new CniJsonReader(json, source, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("name"u8))
                list = list with { Name = reader.String("name") ?? "" };
            else if (key.SequenceEqual("cniVersion"u8))
                versions.Add(reader.String("cniVersion") ?? "");
            else if (key.SequenceEqual("cniVersions"u8))
                versions.AddRange(reader.Strings("cniVersions"));
            else if (key.SequenceEqual("disableCheck"u8))
                list = list with { DisableCheck = reader.Flag("disableCheck") };
            else if (key.SequenceEqual("disableGC"u8))
                list = list with { DisableGc = reader.Flag("disableGC") };
            else if (key.SequenceEqual("plugins"u8) && reader.IsList("plugins"))
                plugins = Plugins(ref reader, source);
            else
                reader.SkipValue();
        }

        reader.ReadToEnd();
        if (list.Name.Length > 0 && !CniNames.IsName(list.Name))
            throw reader.BadValue("name", list.Name, "is not a name");
        if (plugins is { Count: 0 })
            throw reader.Missing("plugins");
        return list with { Plugins = plugins ?? [Plugin(json, source)], Version = Newest(versions, source), Versions = versions };
    }

    private static List<PluginConf> Plugins(ref CniJsonReader reader, string source)
    {
        var plugins = new List<PluginConf>();
        while (reader.NextItem())
        {
            if (plugins.Count == MaxPlugins)
                throw new CniException(CniErrorCode.InvalidNetworkConfig, $"{source}: plugins has more than {MaxPlugins} items");
            plugins.Add(Plugin(reader.RawValue(), $"{source}: plugins[{plugins.Count}]"));
        }

        return plugins;
    }

    private static PluginConf Plugin(ReadOnlyMemory<byte> json, string source)
    {
        var conf = new PluginConf("", json);
        var reader = new CniJsonReader(json, source, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("type"u8))
                conf = conf with { Type = reader.String("type") ?? "" };
            else if (key.SequenceEqual("capabilities"u8) && reader.IsObject("capabilities"))
                conf = conf with { Capabilities = Capabilities(ref reader) };
            else if (key.SequenceEqual("ipam"u8))
                conf = conf with { HasIpam = SkipObject(ref reader, "ipam") };
            else
                reader.SkipValue();
        }

        if (conf.Type.Length == 0)
            throw reader.Missing("type");
        return CniNames.IsName(conf.Type) && !conf.Type.Contains("..", StringComparison.Ordinal)
            ? conf
            : throw reader.BadValue("type", conf.Type, "is not a plugin's name");
    }

    private static bool SkipObject(ref CniJsonReader reader, string key)
    {
        var any = reader.IsObject(key);
        reader.SkipValue();
        return any;
    }

    private static List<string> Capabilities(ref CniJsonReader reader)
    {
        var names = new List<string>();
        while (reader.NextMember(out var key))
        {
            reader.CheckCount("capabilities", names.Count);
            var name = System.Text.Encoding.UTF8.GetString(key);
            if (reader.Boolean("capabilities"))
                names.Add(name);
        }

        return names;
    }

    // As libcni chooses: the newest that both sides know.
    private static SpecVersion? Newest(List<string> texts, string source)
    {
        SpecVersion? newest = null;
        foreach (var text in texts)
        {
            if (SpecVersion.TryParse(text, out var version) && (newest is null || version > newest))
                newest = version;
        }

        return newest is null && texts.Exists(t => t.Length > 0)
            ? throw new CniException(CniErrorCode.IncompatibleVersion, $"{source}: cniVersion {CniText.Quote(texts.Find(t => t.Length > 0))} is not supported", $"supported versions: {string.Join(", ", SpecVersion.Supported)}")
            : newest;
    }
}
