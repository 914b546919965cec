using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.State;

/// <summary>
/// What this node remembers of one sandbox: everything that an attempt may have made or may still make. One line of the journal.
/// </summary>
public sealed record SandboxRecord
{
    /// <summary>The format that this build writes, and the latest that it acts on.</summary>
    internal const int Format = 1;

    /// <summary>The format of whoever wrote it. A later one may have more members: a reader keeps those that it does not know.</summary>
    public int Version { get; init; } = Format;

    /// <summary>
    /// The oldest format whose readers may act on the record; 0 is every one. Whoever changes what a member means writes this, one release
    /// after the first that reads the new meaning.
    /// </summary>
    public int Needs { get; init; }

    /// <summary>How far the sandbox has come.</summary>
    public SandboxPhase Phase { get; init; }

    /// <summary>The boot of the kernel that it was written under (/proc/sys/kernel/random/boot_id).</summary>
    public string? BootId { get; init; }

    /// <summary>Milliseconds of that boot when the release was first deferred.</summary>
    public long DeferredAt { get; init; }

    /// <summary>The CNI config's <c>name</c>: GC frees only what was made under its own.</summary>
    public string? ConfigName { get; init; }

    /// <summary>CNI_CONTAINERID.</summary>
    public string ContainerId { get; init => field = value ?? ""; } = "";

    /// <summary>The sandbox's identity: K8S_POD_UID where given, else the Pod's uid.</summary>
    public string PodUid { get; init => field = value ?? ""; } = "";

    /// <summary>The Pod's namespace.</summary>
    public string PodNamespace { get; init => field = value ?? ""; } = "";

    /// <summary>The Pod's name.</summary>
    public string PodName { get; init => field = value ?? ""; } = "";

    /// <summary>CNI_NETNS.</summary>
    public string? Netns { get; init; }

    /// <summary>CNI_ARGS, for delegates that are called when no runtime gives any.</summary>
    public string? Args { get; init; }

    /// <summary>One for each interface.</summary>
    public IReadOnlyList<AttachmentRecord> Attachments { get; init => field = [.. (value ?? []).Where(a => a is not null)]; } = [];

    /// <summary>API objects that exist, or may.</summary>
    public IReadOnlyList<ClaimRecord> Claims { get; init => field = [.. (value ?? []).Where(c => c is not null)]; } = [];

    /// <summary>
    /// DEL could not ask the API which DanmEps the sandbox has: whoever releases later looks for them by container id.
    /// </summary>
    public bool Search { get; init; }

    /// <summary>What a later build has written besides; written back as it was.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }

    /// <summary>The folder entry that the record is kept under.</summary>
    [JsonIgnore]
    public string Key => KeyOf(PodUid, ContainerId);

    /// <summary>Neither part can hold a slash, and a UID no underscore, so the first underscore parts them.</summary>
    public static string KeyOf(string podUid, string containerId) => $"{podUid}_{containerId}";
}

/// <summary>How far a sandbox has come.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SandboxPhase>))]
public enum SandboxPhase
{
    /// <summary>ADD is at work, or died at it.</summary>
    Adding,

    /// <summary>ADD has succeeded.</summary>
    Attached,

    /// <summary>What is named could not be released yet.</summary>
    Deferred,
}

/// <summary>One interface as ADD left it; CHECK compares with it.</summary>
public sealed record AttachmentRecord
{
    /// <summary>The interface's name in the Pod.</summary>
    public string Interface { get; init => field = value ?? ""; } = "";

    /// <summary>The network, as messages name it.</summary>
    public string Network { get; init => field = value ?? ""; } = "";

    /// <summary>metadata.name of the DanmEp.</summary>
    public string EndpointId { get; init => field = value ?? ""; } = "";

    /// <summary>The plugins that made it; null for our own.</summary>
    public DelegateRecord? Delegate { get; init; }

    /// <summary>
    /// Known from a DanmEp only, and made by a delegate of this NetworkType: how it was called is to be found out. Null otherwise.
    /// </summary>
    public string? UnknownDelegate { get; init; }

    /// <summary>Whether no interface of that name was in the Pod after ADD, as with plugins of user-space networks.</summary>
    public bool IsOutsideKernel { get; init; }

    /// <summary>The hardware address.</summary>
    public string? Mac { get; init; }

    /// <summary>Addresses with prefix length.</summary>
    public IReadOnlyList<string> Addresses { get; init => field = [.. (value ?? []).Where(a => a is not null)]; } = [];

    /// <summary>Routes of the main table and of <see cref="Table"/>.</summary>
    public IReadOnlyList<RouteRecord> Routes { get; init => field = [.. (value ?? []).Where(r => r is { Destination: not null, Gateway: not null })]; } = [];

    /// <summary>The table of policy routes; rules lead there from each address. 0: none.</summary>
    public uint Table { get; init; }

    /// <summary>What a later build has written besides; written back as it was.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }
}

/// <summary>A route as it was set.</summary>
public sealed record RouteRecord(string Destination, string Gateway, uint Table);

/// <summary>An API object that exists, or may.</summary>
public sealed record ClaimRecord
{
    /// <summary>IPAllocation or DanmEp.</summary>
    public string Kind { get; init => field = value ?? ""; } = "";

    /// <summary>metadata.name; a DanmEp's namespace is the Pod's.</summary>
    public string Name { get; init => field = value ?? ""; } = "";

    /// <summary>metadata.uid once the server has confirmed it; null while nobody knows whether the object exists.</summary>
    public string? Uid { get; init; }

    /// <summary>
    /// Whether a create of it has no answer yet, or never got one: it may still be carried out, even after the object that another one
    /// made was deleted.
    /// </summary>
    public bool MayComeAgain { get; init; }

    /// <summary>The object's DanmEp, to know whose it is.</summary>
    public string EndpointId { get; init => field = value ?? ""; } = "";

    /// <summary>What a later build has written besides; written back as it was.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }
}

/// <summary>What is asked of a line that no record can be made of: whether a later build has written it.</summary>
internal readonly record struct RecordFormat(int Version, int Needs);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault, MaxDepth = 16)]
[JsonSerializable(typeof(SandboxRecord))]
[JsonSerializable(typeof(RecordFormat))]
internal sealed partial class StateJson : JsonSerializerContext;
