using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Tenants;

/// <summary>
/// A Pod's interface or address, by its DanmEp or IPAllocation. Few members are read, each by itself: one of the wrong type must not let
/// anybody think that there is no Pod.
/// </summary>
internal sealed class WireUser
{
    // Two names and what is between.
    private const int MaxText = 600;

    private string? apiType, ns, pod;
    private bool knowsType;

    public required ObjectMeta Metadata { get; init; }

    public static WireUser Read(JsonElement stored)
    {
        var user = new WireUser { Metadata = UnreadableObject.MetadataOf(stored) };
        if (!TryMember(stored, "spec", out var spec))
            return user;
        // Absent is DanmNet, as empty is.
        user.knowsType = !TryMember(spec, "apiType", out var type) ? spec.ValueKind == JsonValueKind.Object : type.ValueKind == JsonValueKind.String;
        (user.apiType, user.pod, user.ns) = (Text(spec, "apiType"), Text(spec, "Pod"), user.Metadata.Namespace);
        if (TryMember(spec, "owner", out var owner))
            (user.pod, user.ns) = (Text(owner, "pod"), Text(owner, "namespace"));
        return user;
    }

    /// <summary>Whether its network is of that kind, or cannot be told not to be.</summary>
    public bool MayBeOf(NetworkKind kind) => !knowsType || (NetworkKinds.TryParse(apiType, out var read) && read == kind);

    /// <summary><c>namespace/pod</c>, or what to look at where that is not told; safe for logs and terminals.</summary>
    public override string ToString() => CniText.Clean(pod is null ? $"that of {Metadata.Namespace}/{Metadata.Name}, which names none" : $"{ns}/{pod}", MaxText);

    private static string? Text(JsonElement parent, string name) => TryMember(parent, name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool TryMember(JsonElement parent, string name, out JsonElement value)
    {
        value = default;
        return parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
    }
}
