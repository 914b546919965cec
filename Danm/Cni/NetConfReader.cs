namespace Danm.Cni;

/// <summary>Reads the network configuration.</summary>
public static class NetConfReader
{
    private const string Document = "the network configuration";

    /// <summary>
    /// The version that the configuration asks for; null if it has none that we support.
    /// </summary>
    /// <param name="json">The document.</param>
    /// <param name="text">The version's text as it stands; null if the key is missing, which means 0.1.0.</param>
    /// <exception cref="CniException">Code 6: this is no JSON object. Code 7: the version is no string.</exception>
    public static SpecVersion? ReadVersion(ReadOnlyMemory<byte> json, out string? text)
    {
        text = null;
        var reader = new CniJsonReader(json, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("cniVersion"u8))
                text = reader.String("cniVersion");
            else
                reader.SkipValue();
        }

        reader.ReadToEnd();
        return SpecVersion.TryParse(string.IsNullOrEmpty(text) ? "0.1.0" : text, out var version) ? version : null;
    }

    /// <summary>Reads the whole configuration.</summary>
    /// <param name="json">The document; the result keeps it.</param>
    /// <param name="defaultCniDir">The folder of static delegates' files where the configuration names none.</param>
    /// <param name="isForeign">
    /// Whether it is another plugin's, which may mean something else by our own keys: they are left alone but in <c>ipam</c>.
    /// </param>
    /// <exception cref="CniException">
    /// Code 6: this is no JSON object. Code 1: its version is not supported. Code 7: a key has a wrong value.
    /// </exception>
    public static NetConf Read(ReadOnlyMemory<byte> json, string defaultCniDir = NetConf.DefaultCniDir, bool isForeign = false)
    {
        // The version first: what the other keys mean is up to it.
        var version = ReadVersion(json, out var versionText)
            ?? throw UnsupportedVersion(versionText);

        string? name = null;
        var conf = new NetConf { Name = "", CniVersion = version, CniDir = defaultCniDir, Raw = json };
        var reader = new CniJsonReader(json, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var key))
        {
            switch (key.Length)
            {
                case 4 when key.SequenceEqual("name"u8):
                    name = reader.String("name");
                    break;
                case 4 when key.SequenceEqual("type"u8):
                    conf = conf with { Type = reader.String("type") };
                    break;
                case 10 when !isForeign && key.SequenceEqual("kubeconfig"u8):
                    conf = conf with { Kubeconfig = Path(ref reader, "kubeconfig") };
                    break;
                case 6 when !isForeign && key.SequenceEqual("cniDir"u8):
                    conf = conf with { CniDir = Path(ref reader, "cniDir") ?? defaultCniDir };
                    break;
                case 12 when !isForeign && key.SequenceEqual("namingScheme"u8):
                    conf = conf with { LegacyNames = reader.String("namingScheme") == "legacy" };
                    break;
                case 8 when !isForeign && key.SequenceEqual("logLevel"u8):
                    conf = conf with { LogLevel = LogLevel(ref reader) };
                    break;
                case 7 when !isForeign && key.SequenceEqual("logFile"u8):
                    conf = conf with { LogFile = Path(ref reader, "logFile") ?? NetConf.DefaultLogFile };
                    break;
                case 14 when !isForeign && key.SequenceEqual("timeoutSeconds"u8):
                    conf = conf with { Timeout = Timeout(ref reader, "timeoutSeconds") };
                    break;
                case 8 when !isForeign && key.SequenceEqual("nodeName"u8):
                    conf = conf with { NodeName = NodeName(ref reader, "nodeName") };
                    break;
                case 8 when !isForeign && key.SequenceEqual("parallel"u8):
                    conf = conf with { Parallel = Parallel(ref reader) };
                    break;
                case 13 when !isForeign && key.SequenceEqual("vxlanFlooding"u8):
                    conf = conf with { VxlanFlooding = VxlanFlooding(ref reader) };
                    break;
                case 4 when isForeign && key.SequenceEqual("ipam"u8):
                    conf = ReadIpam(ref reader, conf);
                    break;
                case 10 when key.SequenceEqual("prevResult"u8):
                    conf = conf with { PrevResult = RawObject(ref reader, "prevResult") };
                    break;
                case 13 when key.SequenceEqual("runtimeConfig"u8):
                    conf = conf with { RuntimeConfig = RawObject(ref reader, "runtimeConfig") };
                    break;
                case 25 when key.SequenceEqual("cni.dev/valid-attachments"u8):
                    conf = conf with { ValidAttachments = Attachments(ref reader) };
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (string.IsNullOrEmpty(name))
            throw reader.Missing("name");
        if (!CniNames.IsName(name))
            throw reader.BadValue("name", name, $"is not a name: a letter or digit, then letters, digits, '_', '.' and '-', at most {CniNames.MaxNameLength} in all");
        return conf with { Name = name };
    }

    /// <summary>Our own keys where the configuration is another plugin's: in the section that is for its IPAM plugin.</summary>
    private static NetConf ReadIpam(ref CniJsonReader reader, NetConf conf)
    {
        if (!reader.IsObject("ipam"))
            return conf;
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("kubeconfig"u8))
                conf = conf with { Kubeconfig = Path(ref reader, "ipam.kubeconfig") };
            else if (key.SequenceEqual("timeoutSeconds"u8))
                conf = conf with { Timeout = Timeout(ref reader, "ipam.timeoutSeconds") };
            else if (key.SequenceEqual("nodeName"u8))
                conf = conf with { NodeName = NodeName(ref reader, "ipam.nodeName") };
            else
                reader.SkipValue();
        }

        return conf;
    }

    /// <summary>Reads our part of a configuration file: the file itself, or the plugin of type <c>danm</c> in a list.</summary>
    /// <exception cref="CniException">It cannot be read, or has no such plugin.</exception>
    public static NetConf ReadFile(string path)
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CniException(CniErrorCode.IoFailure, $"cannot read {CniText.Quote(path)}: {e.Message}", inner: e);
        }

        var list = Plugins.NetworkListReader.Read(json, path);
        var ours = list.Plugins.FirstOrDefault(p => p.Type == "danm")
            ?? throw new CniException(CniErrorCode.InvalidNetworkConfig, $"{CniText.Quote(path)} has no plugin of type 'danm'");
        return Read(Plugins.PluginConfWriter.Change(
            ours.Json,
            [Plugins.PluginConfWriter.Text("name", list.Name), Plugins.PluginConfWriter.Text("cniVersion", (list.Version ?? default).ToString())]));
    }

    /// <summary>The error for a version that is not supported.</summary>
    internal static CniException UnsupportedVersion(string? text) => new(
        CniErrorCode.IncompatibleVersion,
        $"{Document}: cniVersion {CniText.Quote(text)} is not supported",
        $"supported versions: {string.Join(", ", SpecVersion.Supported)}");

    private static string? Path(ref CniJsonReader reader, string key)
    {
        var path = reader.String(key);
        if (string.IsNullOrEmpty(path))
            return null;
        return CniNames.IsAbsolutePath(path) ? path : throw reader.BadValue(key, path, "is not an absolute path");
    }

    private static TimeSpan Timeout(ref CniJsonReader reader, string key) => TimeSpan.FromSeconds(reader.Integer(key, 1, 600) ?? 30);

    private static string? NodeName(ref CniJsonReader reader, string key)
    {
        var name = reader.String(key);
        if (string.IsNullOrEmpty(name))
            return null;
        return CniNames.IsDnsSubdomain(name) ? name : throw reader.BadValue(key, name, "is not a node's name (a DNS-1123 subdomain)");
    }

    private static NetConfLogLevel LogLevel(ref CniJsonReader reader) => reader.String("logLevel") switch
    {
        null or "" or "info" => NetConfLogLevel.Info,
        "debug" => NetConfLogLevel.Debug,
        "warning" => NetConfLogLevel.Warning,
        "error" => NetConfLogLevel.Error,
        "none" => NetConfLogLevel.None,
        var other => throw reader.BadValue("logLevel", other, "is not one of debug, info, warning, error, none"),
    };

    private static NetConfParallel Parallel(ref CniJsonReader reader) => reader.String("parallel") switch
    {
        null or "" or "all" => NetConfParallel.All,
        "others" => NetConfParallel.Others,
        "none" => NetConfParallel.None,
        var other => throw reader.BadValue("parallel", other, "is not one of all, others, none"),
    };

    private static NetConfVxlanFlooding VxlanFlooding(ref CniJsonReader reader) => reader.String("vxlanFlooding") switch
    {
        null or "" or "multicast" => NetConfVxlanFlooding.Multicast,
        "unicast" => NetConfVxlanFlooding.Unicast,
        var other => throw reader.BadValue("vxlanFlooding", other, "is not one of multicast, unicast"),
    };

    private static ReadOnlyMemory<byte>? RawObject(ref CniJsonReader reader, string key) =>
        reader.IsObject(key) ? reader.RawValue() : null;

    private static List<CniAttachment>? Attachments(ref CniJsonReader reader)
    {
        const string Key = "cni.dev/valid-attachments";
        if (!reader.IsList(Key))
            return null;
        var attachments = new List<CniAttachment>();
        while (reader.NextItem())
        {
            reader.CheckCount(Key, attachments.Count);
            attachments.Add(Attachment(ref reader, Key));
        }

        return attachments;
    }

    // Nothing here may be guessed: an entry that is not understood would free what lives.
    private static CniAttachment Attachment(ref CniJsonReader reader, string list)
    {
        string? containerId = null, ifName = null;
        if (!reader.IsObject(list))
            throw reader.BadValue(list, "null", "is not an attachment");
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("containerID"u8))
                containerId = reader.String("containerID");
            else if (key.SequenceEqual("ifname"u8))
                ifName = reader.String("ifname");
            else
                reader.SkipValue();
        }

        if (containerId is null || !CniNames.IsName(containerId))
            throw reader.BadValue($"{list}: containerID", containerId ?? "", "is not a container id");
        if (ifName is null || !CniNames.IsInterfaceName(ifName))
            throw reader.BadValue($"{list}: ifname", ifName ?? "", "is not an interface name");
        return new CniAttachment(containerId, ifName);
    }
}
