using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>discovery.k8s.io/v1 EndpointSlice. A real server does not look at zones, and takes one address twice.</summary>
internal static class EndpointSlices
{
    // Its documentation says 100 ports; this is what it checks.
    private const int EndpointLimit = 1000, AddressLimit = 100, PortLimit = 20_000, ZoneHintLimit = 8;

    private static readonly string[] AddressTypes = ["FQDN", "IPv4", "IPv6"];

    /// <summary>Lists without anything are null, not absent; the topology of v1beta1 is forgotten.</summary>
    public static void Normalize(JsonObject slice)
    {
        foreach (var name in (string[])["endpoints", "ports"])
            if (slice[name] is null or JsonArray { Count: 0 })
                slice[name] = null;
        foreach (var endpoint in GoFields.Objects(slice["endpoints"]))
            endpoint.Remove("deprecatedTopology");
    }

    public static void Check(JsonObject slice, JsonObject? old, List<FieldError> errors)
    {
        var type = slice["addressType"].String()!;
        if (type.Length == 0)
            errors.Add(FieldError.Required("addressType"));
        else if (!AddressTypes.Contains(type))
            errors.Add(FieldError.NotSupported("addressType", type, AddressTypes));
        if (old is not null && old["addressType"].String() != type)
            errors.Add(FieldError.Invalid("addressType", type, "field is immutable"));
        CheckPorts(slice["ports"] as JsonArray ?? [], errors);
        if (old is null || !JsonNode.DeepEquals(old["endpoints"], slice["endpoints"]))
            CheckEndpoints(slice["endpoints"] as JsonArray ?? [], type, errors);
    }

    private static void CheckPorts(JsonArray ports, List<FieldError> errors)
    {
        if (ports.Count > PortLimit)
        {
            errors.Add(FieldError.TooMany("ports", ports.Count, PortLimit));
            return;
        }

        var names = new HashSet<string>();
        foreach (var (port, index) in GoFields.Objects(ports).Select((p, i) => (p, i)))
        {
            var name = port["name"].String()!;
            if (name.Length > 0)
                PortRules.CheckLabel(name, $"ports[{index}].name", errors);
            if (!names.Add(name))
                errors.Add(FieldError.Duplicate($"ports[{index}].name", name));
            PortRules.CheckAppProtocol(port, $"ports[{index}]", errors);
        }
    }

    private static void CheckEndpoints(JsonArray endpoints, string type, List<FieldError> errors)
    {
        if (endpoints.Count > EndpointLimit)
        {
            errors.Add(FieldError.TooMany("endpoints", endpoints.Count, EndpointLimit));
            return;
        }

        foreach (var (endpoint, index) in GoFields.Objects(endpoints).Select((e, i) => (e, i)))
        {
            var path = $"endpoints[{index}]";
            CheckAddresses(endpoint["addresses"] as JsonArray ?? [], type, $"{path}.addresses", errors);
            AddressRules.CheckNode(endpoint, path, errors);
            if (endpoint["hostname"] is { } hostname)
                PortRules.CheckLabel(hostname.String()!, $"{path}.hostname", errors);
            CheckHints(endpoint.At("hints", "forZones") as JsonArray ?? [], $"{path}.hints.forZones", errors);
        }
    }

    private static void CheckAddresses(JsonArray addresses, string type, string path, List<FieldError> errors)
    {
        if (addresses.Count == 0)
            errors.Add(FieldError.Required(path, "must contain at least 1 address"));
        else if (addresses.Count > AddressLimit)
            errors.Add(FieldError.TooMany(path, addresses.Count, AddressLimit));
        for (var i = 0; i < addresses.Count; i++)
        {
            var (text, place) = (addresses[i].String()!, $"{path}[{i}]");
            if (type == "FQDN" && (!Names.IsSubdomain(text.TrimEnd('.')) || !text.TrimEnd('.').Contains('.')))
                errors.Add(FieldError.Invalid(place, text, "should be a domain with at least two segments separated by dots"));
            if (type == "IPv4" && !AddressRules.IsIPv4(text) || type == "IPv6" && !AddressRules.IsIPv6(text))
                errors.Add(FieldError.Invalid(place, text, $"must be a valid {type} address"));
            if (type is "IPv4" or "IPv6")
                AddressRules.CheckEndpoint(text, place, errors);
        }
    }

    private static void CheckHints(JsonArray zones, string path, List<FieldError> errors)
    {
        if (zones.Count > ZoneHintLimit)
            errors.Add(FieldError.TooMany(path, zones.Count, ZoneHintLimit));
        var names = new HashSet<string>();
        for (var i = 0; i < zones.Count && zones.Count <= ZoneHintLimit; i++)
        {
            var zone = zones[i].At("name").String()!;
            if (!names.Add(zone))
                errors.Add(FieldError.Duplicate($"{path}[{i}].name", zone));
            if (!Names.IsLabelValue(zone))
                errors.Add(FieldError.Invalid($"{path}[{i}].name", zone, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
        }
    }
}
