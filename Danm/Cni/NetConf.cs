namespace Danm.Cni;

/// <summary>
/// The network configuration on standard input: the keys of the CNI specification (1.1.0, section 1) that we use, and ours.
/// Unknown keys are ignored; the file that the original ships has comments as keys.
/// </summary>
public sealed record NetConf
{
    /// <summary>Where static delegates' files are looked for, unless the configuration or CNI_CONF_DIR says otherwise.</summary>
    public const string DefaultCniDir = "/etc/cni/net.d";

    /// <summary>The log file, unless the configuration says otherwise.</summary>
    public const string DefaultLogFile = "/var/log/danm.log";

    /// <summary><c>cniVersion</c>: the version of the result.</summary>
    public SpecVersion CniVersion { get; init; }

    /// <summary><c>name</c>: the network's name, unique on the node.</summary>
    public required string Name { get; init; }

    /// <summary><c>type</c>: the plugin's name; null if it is missing, which no command of ours minds.</summary>
    public string? Type { get; init; }

    /// <summary><c>kubeconfig</c>: path of the file that tells server and credentials; null if not given.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary><c>cniDir</c>: folder of static delegates' files.</summary>
    public string CniDir { get; init; } = DefaultCniDir;

    /// <summary><c>namingScheme</c>: whether it is <c>legacy</c>, by which interfaces are named exactly as their network's container_prefix.</summary>
    public bool LegacyNames { get; init; }

    /// <summary><c>logLevel</c>: <c>debug</c>, <c>info</c> (unless given), <c>warning</c>, <c>error</c> or <c>none</c>.</summary>
    public NetConfLogLevel LogLevel { get; init; } = NetConfLogLevel.Info;

    /// <summary><c>logFile</c>: where the log is appended to.</summary>
    public string LogFile { get; init; } = DefaultLogFile;

    /// <summary><c>timeoutSeconds</c>: how long one command may take, 1 to 600 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary><c>nodeName</c>: this node's name in Kubernetes; null if not given.</summary>
    public string? NodeName { get; init; }

    /// <summary><c>parallel</c>: which attachments of a Pod are made at once.</summary>
    public NetConfParallel Parallel { get; init; }

    /// <summary><c>vxlanFlooding</c>: how VxLAN interfaces find their peers; must equal netwatcher's flag.</summary>
    public NetConfVxlanFlooding VxlanFlooding { get; init; }

    /// <summary><c>prevResult</c>: the JSON text of the ADD's result, for <see cref="CniResultReader"/>; null if not given.</summary>
    public ReadOnlyMemory<byte>? PrevResult { get; init; }

    /// <summary><c>runtimeConfig</c>: the JSON text of what the runtime fills in for capabilities; null if not given.</summary>
    public ReadOnlyMemory<byte>? RuntimeConfig { get; init; }

    /// <summary>
    /// <c>cni.dev/valid-attachments</c>: what GC must keep. Null (the key is missing) frees nothing; an empty list frees all.
    /// </summary>
    public IReadOnlyList<CniAttachment>? ValidAttachments { get; init; }

    /// <summary>The whole document as it came in.</summary>
    public ReadOnlyMemory<byte> Raw { get; init; }
}

/// <summary>One attachment as GC lists it.</summary>
/// <param name="ContainerId">CNI_CONTAINERID of its ADD.</param>
/// <param name="IfName">CNI_IFNAME of its ADD.</param>
public readonly record struct CniAttachment(string ContainerId, string IfName);

/// <summary>How much is logged.</summary>
public enum NetConfLogLevel
{
    /// <summary>Every step.</summary>
    Debug,

    /// <summary>What was done.</summary>
    Info,

    /// <summary>What may be a mistake.</summary>
    Warning,

    /// <summary>What failed.</summary>
    Error,

    /// <summary>Nothing.</summary>
    None,
}

/// <summary>Which attachments of a Pod are made at once.</summary>
public enum NetConfParallel
{
    /// <summary>All of them.</summary>
    All,

    /// <summary>The first alone, then the others together: for delegates that race for the default route.</summary>
    Others,

    /// <summary>One after the other.</summary>
    None,
}

/// <summary>How VxLAN interfaces reach peers that they have not learnt yet.</summary>
public enum NetConfVxlanFlooding
{
    /// <summary>By a multicast group of the VNI.</summary>
    Multicast,

    /// <summary>By one copy for each peer, for networks without multicast.</summary>
    Unicast,
}
