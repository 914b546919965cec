using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Netwatcher;

/// <summary>
/// The value of the Pod annotation <c>k8s.v1.cni.cncf.io/network-status</c>: a JSON list with an entry for each interface of the Pod
/// (Kubernetes Network Custom Resource Definition De-facto Standard, version 1.3, section 5).
/// </summary>
internal static class NetworkStatus
{
    public const string Annotation = "k8s.v1.cni.cncf.io/network-status";

    private const int MaxAnnotation = 256 * 1024;

    /// <summary>What the annotation must say.</summary>
    /// <param name="present">What it says; entries of interfaces that are not ours stay, in front (Multus may have written them).</param>
    /// <param name="endpoints">The DanmEps of the Pod's sandbox.</param>
    /// <param name="macOf">The hardware address of an interface, where the node knows it.</param>
    /// <returns>Null: it is as it must be, or there is nothing to say.</returns>
    public static string? Update(string? present, IReadOnlyCollection<DanmEp> endpoints, Func<DanmEp, string?> macOf)
    {
        if (endpoints.Count == 0)
            return null;
        var before = Parse(present);
        var ours = endpoints.Select(e => e.Spec.Interface.Name).ToHashSet();
        var foreign = before.Where(e => e is JsonObject o && !ours.Contains(TextOf(o["interface"]) ?? "")).ToList();
        var first = foreign.Any(e => e!["default"] is JsonValue v && v.TryGetValue(out bool isDefault) && isDefault)
            ? null
            : endpoints.MinBy(e => e.Spec.Interface.Name, InterfaceOrder.Instance);
        var after = new JsonArray([.. foreign.Select(e => e!.DeepClone())]);
        foreach (var endpoint in endpoints.OrderBy(e => e.Spec.Interface.Name, InterfaceOrder.Instance))
            after.Add((JsonNode)Entry(endpoint, macOf(endpoint), endpoint == first));
        return JsonNode.DeepEquals(before, after) ? null : after.ToJsonString();
    }

    private static JsonObject Entry(DanmEp endpoint, string? mac, bool isDefault)
    {
        var spec = endpoint.Spec;
        var entry = new JsonObject
        {
            ["name"] = spec.ApiType == ApiNames.ClusterNetwork ? spec.NetworkName : $"{endpoint.Metadata.Namespace}/{spec.NetworkName}",
            ["interface"] = spec.Interface.Name,
        };
        var addresses = new[] { spec.Interface.Address, spec.Interface.AddressIPv6 }.Select(AddressOf).OfType<string>().ToArray();
        if (addresses.Length > 0)
            entry["ips"] = new JsonArray([.. addresses.Select(a => (JsonNode)JsonValue.Create(a))]);
        if ((string.IsNullOrEmpty(mac) ? spec.Interface.MacAddress : mac) is { Length: > 0 } address)
            entry["mac"] = address;
        if (isDefault)
            entry["default"] = true;
        entry["dns"] = new JsonObject();
        if (spec.Interface.DeviceId is { Length: > 0 } pci)
        {
            entry["device-info"] = new JsonObject
            {
                ["type"] = "pci", ["version"] = "1.1.0", ["pci"] = new JsonObject { ["pci-address"] = pci },
            };
        }

        return entry;
    }

    // Free text: an address with its prefix length, without one, "none", "dynamic".
    private static string? AddressOf(string text) => CidrAddress.TryParse(text.Contains('/', StringComparison.Ordinal) ? text : $"{text}/0", out var address) ? address.Address.ToString() : null;

    private static string? TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static JsonArray Parse(string? annotation)
    {
        try
        {
            return annotation is { Length: > 0 and < MaxAnnotation } && JsonNode.Parse(annotation, documentOptions: new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false }) is JsonArray list ? list : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    // eth0 first: it is the one that the kubelet asked for. eth2 before eth10.
    private sealed class InterfaceOrder : IComparer<string>
    {
        public static readonly InterfaceOrder Instance = new();

        public int Compare(string? x, string? y) => Key(x).CompareTo(Key(y));

        private static (bool, int, string) Key(string? name) => (name != "eth0", name?.Length ?? 0, name ?? "");
    }
}
