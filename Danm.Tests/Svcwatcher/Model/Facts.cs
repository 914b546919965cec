using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>What the tests read of objects, by themselves.</summary>
internal static class Facts
{
    public const string ManagedBy = "endpointslice.kubernetes.io/managed-by", ServiceName = "kubernetes.io/service-name", Ours = "svcwatcher.danm.io";

    public static string Space(JsonNode o) => o.At("metadata", "namespace").String() ?? "";

    public static string Name(JsonNode o) => o.At("metadata", "name").String() ?? "";

    public static string Uid(JsonNode o) => o.At("metadata", "uid").String() ?? "";

    public static string Created(JsonNode o) => o.At("metadata", "creationTimestamp").String() ?? "";

    public static bool IsGoing(JsonNode o) => o.At("metadata", "deletionTimestamp") is not null;

    public static IEnumerable<(string Key, string Value)> Labels(JsonNode o) =>
        o.At("metadata", "labels") is JsonObject labels ? labels.Select(l => (l.Key, l.Value.String() ?? "")) : [];

    public static string? Label(JsonNode o, string key) => o.At("metadata", "labels", key).String();

    public static ServiceVariant? Variant(JsonNode service) =>
        Label(service, ServiceVariant.Label) is { } number ? ServiceVariant.All[int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)] : null;

    /// <summary>The network of a DanmEp.</summary>
    public static (string Kind, string Name) Network(JsonNode record) =>
        (record.At("spec", "apiType").String() is { Length: > 0 } kind ? kind : "DanmNet", record.At("spec", "NetworkName").String() ?? "");

    /// <summary>The address of a family that a slice may have; null if there is none.</summary>
    public static string? Address(JsonNode record, string family)
    {
        var text = record.At("spec", "Interface", family == "IPv4" ? "Address" : "AddressIPv6").String() ?? "";
        return IPAddress.TryParse(text.Split('/')[0], out var address) && (address.AddressFamily == AddressFamily.InterNetwork) == (family == "IPv4") && !IsOfLink(address)
            ? address.ToString()
            : null;
    }

    private static bool IsOfLink(IPAddress address) => address.IsIPv6LinkLocal || address.ToString().StartsWith("169.254.", StringComparison.Ordinal);
}
