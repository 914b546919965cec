using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>core/v1 Endpoints.</summary>
internal static class Endpoints
{
    public static void Normalize(JsonObject endpoints)
    {
        GoFields.DropZero(endpoints, "subsets");
        foreach (var subset in GoFields.Objects(endpoints["subsets"]))
        {
            GoFields.DropZero(subset, "addresses", "notReadyAddresses", "ports");
            foreach (var port in GoFields.Objects(subset["ports"]))
                GoFields.DropZero(port, "name", "protocol");
            foreach (var address in GoFields.Objects(subset["addresses"]).Concat(GoFields.Objects(subset["notReadyAddresses"])))
                GoFields.DropZero(address, "hostname");
        }
    }

    public static void Check(JsonObject endpoints, JsonObject? old, List<FieldError> errors)
    {
        if (old is not null && JsonNode.DeepEquals(old["subsets"], endpoints["subsets"]))
            return;
        foreach (var (subset, index) in GoFields.Objects(endpoints["subsets"]).Select((s, i) => (s, i)))
        {
            var path = $"subsets[{index}]";
            if (subset["addresses"] is null && subset["notReadyAddresses"] is null)
                errors.Add(FieldError.Required(path, "must specify `addresses` or `notReadyAddresses`"));
            CheckAddresses(subset["addresses"], $"{path}.addresses", errors);
            CheckAddresses(subset["notReadyAddresses"], $"{path}.notReadyAddresses", errors);
            CheckPorts(subset["ports"] as JsonArray ?? [], $"{path}.ports", errors);
        }
    }

    private static void CheckAddresses(JsonNode? addresses, string path, List<FieldError> errors)
    {
        foreach (var (address, index) in GoFields.Objects(addresses).Select((a, i) => (a, i)))
        {
            AddressRules.CheckEndpoint(address["ip"], $"{path}[{index}].ip", errors);
            if (address["hostname"].String() is { } hostname)
                PortRules.CheckLabel(hostname, $"{path}[{index}].hostname", errors);
            AddressRules.CheckNode(address, $"{path}[{index}]", errors);
        }
    }

    /// <summary>Only one port alone may be without a name; that names repeat is not looked at.</summary>
    private static void CheckPorts(JsonArray ports, string path, List<FieldError> errors)
    {
        foreach (var (port, index) in GoFields.Objects(ports).Select((p, i) => (p, i)))
        {
            if (port["name"].String() is { } name)
                PortRules.CheckLabel(name, $"{path}[{index}].name", errors);
            else if (ports.Count > 1)
                errors.Add(FieldError.Required($"{path}[{index}].name"));
            PortRules.CheckNumber(port["port"], $"{path}[{index}].port", errors);
            PortRules.CheckAppProtocol(port, $"{path}[{index}]", errors);
        }
    }
}
