using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>Reads the annotation <c>danm.io/interfaces</c> of a Pod.</summary>
public static class PodInterfaces
{
    private const int MaxBytes = 64 * 1024;
    private const int MaxEntries = 64;
    private const int MaxRoutes = 256;

    // List, entry and routes; what is nested deeper is wrong anyway.
    private const int MaxDepth = 4;

    /// <summary>The interfaces that the annotations ask for; empty where they ask for none (no annotation, null, []).</summary>
    /// <param name="annotations">All annotations of the Pod, or null.</param>
    /// <param name="podNamespace">The namespace that DanmNets and TenantNetworks are looked up in.</param>
    /// <exception cref="NetworkFaultException">The annotation cannot be used; the field holds the entry's zero-based position.</exception>
    public static IReadOnlyList<AttachmentRequest> Read(IReadOnlyDictionary<string, string>? annotations, string podNamespace)
    {
        if (annotations is null)
            return [];
        string? current = null, legacy = null;
        foreach (var (key, value) in annotations)
        {
            if (key == ApiNames.InterfacesAnnotation)
                current = value ?? "";
            else if (key == ApiNames.LegacyInterfacesAnnotation)
                legacy = value ?? "";
            else if (key.EndsWith("/interfaces", StringComparison.OrdinalIgnoreCase) && key.Contains("danm", StringComparison.OrdinalIgnoreCase))
                throw new NetworkFaultException(key, null, $"is not an annotation of ours: did you mean {ApiNames.InterfacesAnnotation}?");
        }

        var requests = current is null ? null : Parse(ApiNames.InterfacesAnnotation, current, podNamespace);
        if (legacy is null)
            return requests ?? [];
        var legacyRequests = Parse(ApiNames.LegacyInterfacesAnnotation, legacy, podNamespace);
        if (current is not null && !IsSameJson(current, legacy))
            throw new NetworkFaultException(ApiNames.LegacyInterfacesAnnotation, null, $"says something else than {ApiNames.InterfacesAnnotation}: remove one of them");
        return requests ?? legacyRequests;
    }

    // Both have been parsed, so they are JSON and small.
    private static bool IsSameJson(string left, string right)
    {
        if (left == right)
            return true;
        using var leftDocument = JsonDocument.Parse(left);
        using var rightDocument = JsonDocument.Parse(right);
        return JsonElement.DeepEquals(leftDocument.RootElement, rightDocument.RootElement);
    }

    private static List<AttachmentRequest> Parse(string annotation, string json, string podNamespace)
    {
        if (Encoding.UTF8.GetByteCount(json) > MaxBytes)
            throw new NetworkFaultException(annotation, null, $"is longer than {MaxBytes} bytes");
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json), new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            var requests = ReadList(ref reader, annotation, podNamespace);
            return reader.Read() ? throw new NetworkFaultException(annotation, null, "has text after the list") : requests;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter is how the reader refuses an escaped half of a surrogate pair.
            throw new NetworkFaultException(annotation, json, $"is not JSON of a list of networks, at byte {reader.BytesConsumed}");
        }
    }

    private static List<AttachmentRequest> ReadList(ref Utf8JsonReader reader, string annotation, string podNamespace)
    {
        var requests = new List<AttachmentRequest>();
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return requests;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new NetworkFaultException(annotation, null, "must be a JSON list");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (requests.Count == MaxEntries)
                throw new NetworkFaultException(annotation, null, $"has more than {MaxEntries} entries");
            var field = $"{annotation}[{requests.Count}]";
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new NetworkFaultException(field, null, "must be a JSON object");
            requests.Add(new Entry(field, requests.Count).Read(ref reader).ToRequest(podNamespace));
        }

        return requests;
    }

    // The members of one entry while it is being read.
    private sealed class Entry(string field, int position)
    {
        private static readonly string[] Keys = ["network", "tenantNetwork", "clusterNetwork", "ip", "ip6", "proutes", "proutes6"];

        private readonly string?[] _texts = new string?[5];
        private readonly List<KeyValuePair<string, string>>?[] _routes = new List<KeyValuePair<string, string>>?[2];
        private int _seen;

        public Entry Read(ref Utf8JsonReader reader)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                var key = Array.FindIndex(Keys, known => known.Equals(name, StringComparison.OrdinalIgnoreCase));
                if (key < 0)
                    throw new NetworkFaultException(field, name, $"is not a known key: those are {string.Join(", ", Keys)}");
                if ((_seen & (1 << key)) != 0)
                    throw new NetworkFaultException(field, name, "occurs twice");
                _seen |= 1 << key;
                reader.Read();
                if (reader.TokenType == JsonTokenType.Null)
                    continue;
                if (key < _texts.Length)
                    _texts[key] = ReadText(ref reader, $"{field}.{Keys[key]}");
                else
                    _routes[key - _texts.Length] = ReadRoutes(ref reader, $"{field}.{Keys[key]}");
            }

            return this;
        }

        public AttachmentRequest ToRequest(string podNamespace)
        {
            var faults = new List<NetworkFault>();
            var request = new AttachmentRequest(
                position,
                ToNetwork(podNamespace),
                ToIPRequest(3, AddressFamily.InterNetwork),
                ToIPRequest(4, AddressFamily.InterNetworkV6),
                GatewayRoute.ReadAll($"{field}.proutes", _routes[0], ipv6: false, faults),
                GatewayRoute.ReadAll($"{field}.proutes6", _routes[1], ipv6: true, faults));
            return faults.Count == 0 ? request : throw new NetworkFaultException(faults);
        }

        private NetworkRef ToNetwork(string podNamespace)
        {
            NetworkRef? found = null;
            for (var kind = NetworkKind.DanmNet; kind <= NetworkKind.ClusterNetwork; kind++)
            {
                if (_texts[(int)kind] is not { Length: > 0 } name)
                    continue;
                if (found is not null)
                    throw new NetworkFaultException(field, null, "has more than one of network, tenantNetwork, clusterNetwork");
                if (!Names.IsSubdomain(name))
                    throw new NetworkFaultException($"{field}.{Keys[(int)kind]}", name, "is not a name that a Kubernetes object can have");
                found = new NetworkRef(kind, kind.IsNamespaced() ? podNamespace : null, name);
            }

            return found ?? throw new NetworkFaultException(field, null, "has none of network, tenantNetwork, clusterNetwork");
        }

        private IPRequest ToIPRequest(int key, AddressFamily family)
        {
            switch (_texts[key])
            {
                case null or "":
                    return default;
                case "none":
                    return new IPRequest(IPRequestKind.None);
                case "dynamic":
                    return IPRequest.Dynamic;
                case var text when CidrAddress.TryParseAddress(text, out var address) && address.AddressFamily == family:
                    return new IPRequest(IPRequestKind.Static, address);
                case var text when CidrAddress.TryParse(text, out var cidr) && cidr.Address.AddressFamily == family:
                    return new IPRequest(IPRequestKind.Static, cidr.Address);
                case var text:
                    var kind = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
                    throw new NetworkFaultException($"{field}.{Keys[key]}", text, $"must be 'dynamic', 'none' or an {kind} address");
            }
        }

        private static string ReadText(ref Utf8JsonReader reader, string field) =>
            reader.TokenType == JsonTokenType.String
                ? reader.GetString()!
                : throw new NetworkFaultException(field, null, "must be a text");

        private List<KeyValuePair<string, string>> ReadRoutes(ref Utf8JsonReader reader, string routesField)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new NetworkFaultException(routesField, null, "must be an object of destinations and gateways");
            var routes = new List<KeyValuePair<string, string>>();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var destination = reader.GetString()!;
                reader.Read();
                routes.Add(new(destination, ReadText(ref reader, $"{routesField}[{destination}]")));
                if (routes.Count + (_routes[0] ?? _routes[1] ?? []).Count > MaxRoutes)
                    throw new NetworkFaultException(field, null, $"has more than {MaxRoutes} routes");
            }

            return routes;
        }
    }
}
