using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>The three kinds that share one spec.</summary>
[JsonConverter(typeof(NetworkKindConverter))]
public enum NetworkKind
{
    /// <summary>A network of one namespace.</summary>
    DanmNet,

    /// <summary>A network that a tenant made, within what the TenantConfig grants.</summary>
    TenantNetwork,

    /// <summary>An administrator's network, for all namespaces or for its AllowedTenants.</summary>
    ClusterNetwork,
}

/// <summary>The spellings of <see cref="NetworkKind"/>.</summary>
public static class NetworkKinds
{
    /// <summary>The kind as <c>kind</c> and <c>apiType</c> spell it.</summary>
    public static string ToName(this NetworkKind kind) => kind switch
    {
        NetworkKind.DanmNet => ApiNames.DanmNet,
        NetworkKind.TenantNetwork => ApiNames.TenantNetwork,
        NetworkKind.ClusterNetwork => ApiNames.ClusterNetwork,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>The resource name in the API server's paths.</summary>
    public static string ToPlural(this NetworkKind kind) => kind switch
    {
        NetworkKind.DanmNet => ApiNames.DanmNets,
        NetworkKind.TenantNetwork => ApiNames.TenantNetworks,
        NetworkKind.ClusterNetwork => ApiNames.ClusterNetworks,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Whether objects of this kind live in a namespace.</summary>
    public static bool IsNamespaced(this NetworkKind kind) => kind != NetworkKind.ClusterNetwork;

    /// <summary>
    /// Reads a kind, or a DanmEp's <c>apiType</c>, where the empty text means DanmNet: the original wrote it for default networks.
    /// </summary>
    public static bool TryParse(string? text, out NetworkKind kind)
    {
        kind = text switch
        {
            ApiNames.TenantNetwork => NetworkKind.TenantNetwork,
            ApiNames.ClusterNetwork => NetworkKind.ClusterNetwork,
            _ => NetworkKind.DanmNet,
        };
        return kind != NetworkKind.DanmNet || text is null or "" or ApiNames.DanmNet;
    }
}

internal sealed class NetworkKindConverter : JsonConverter<NetworkKind>
{
    public override NetworkKind Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && NetworkKinds.TryParse(reader.GetString(), out var kind)
            ? kind
            : throw new JsonException("not a kind of network");

    public override void Write(Utf8JsonWriter writer, NetworkKind value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToName());
}
