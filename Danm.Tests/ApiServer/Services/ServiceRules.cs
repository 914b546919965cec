using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer.Services;

/// <summary>core/v1 Service, without what <see cref="ServiceFamilies"/> has looked at: its addresses and their families.</summary>
internal static class ServiceRules
{
    private const int LongestAffinity = 86_400; // seconds: a day

    public static void Check(JsonObject service, JsonObject? old, List<FieldError> errors)
    {
        var spec = (JsonObject)service["spec"]!;
        var type = spec["type"].String()!;
        var isHeadless = ServiceFamilies.IsHeadless(spec);
        if (type == "ExternalName")
            CheckExternalName(spec, errors);
        CheckPorts(spec["ports"] as JsonArray ?? [], type, isHeadless, errors);
        foreach (var (key, value) in spec["selector"] as JsonObject ?? [])
            if (!Names.IsQualifiedName(key) || !Names.IsLabelValue(value.String()!))
                errors.Add(FieldError.Invalid("spec.selector", $"{key}={value}", "must consist of label names and values"));
        if (spec.At("sessionAffinityConfig", "clientIP", "timeoutSeconds") is JsonValue seconds && SchemaValidator.AsInteger(seconds) is not (> 0 and <= LongestAffinity))
            errors.Add(FieldError.Invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, $"must be greater than 0 and less than {LongestAffinity}"));
        foreach (var (address, index) in (spec["externalIPs"] as JsonArray ?? []).Select((a, i) => (a, i)))
            AddressRules.CheckEndpoint(address, $"spec.externalIPs[{index}]", errors);
        var isOpen = type is "NodePort" or "LoadBalancer" || type == "ClusterIP" && spec["externalIPs"] is not null;
        if (!isOpen && spec["externalTrafficPolicy"] is { } policy)
            errors.Add(FieldError.Invalid("spec.externalTrafficPolicy", policy, "may only be set for externally-accessible services"));
        if (type != "LoadBalancer" && spec.ContainsKey("allocateLoadBalancerNodePorts"))
            errors.Add(FieldError.Forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
        if (old is not null)
            CheckUpdate(spec, (JsonObject)old["spec"]!, errors);
    }

    private static void CheckExternalName(JsonObject spec, List<FieldError> errors)
    {
        foreach (var field in (string[])["clusterIPs", "ipFamilies", "ipFamilyPolicy"])
            if (spec.ContainsKey(field))
                errors.Add(FieldError.Forbidden($"spec.{field}", "may not be set for ExternalName services"));
        var name = spec["externalName"].String() ?? "";
        var relative = name.EndsWith('.') ? name[..^1] : name;
        if (relative.Length == 0)
            errors.Add(FieldError.Required("spec.externalName"));
        else if (!Names.IsSubdomain(relative))
            errors.Add(FieldError.Invalid("spec.externalName", name, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"));
    }

    private static void CheckPorts(JsonArray ports, string type, bool isHeadless, List<FieldError> errors)
    {
        if (ports.Count == 0 && !isHeadless && type != "ExternalName")
            errors.Add(FieldError.Required("spec.ports"));
        var (names, numbers) = (new HashSet<string>(), new HashSet<string>());
        foreach (var (port, index) in GoFields.Objects(ports).Select((p, i) => (p, i)))
        {
            var path = $"spec.ports[{index}]";
            if (port["name"].String() is { } name)
            {
                PortRules.CheckLabel(name, $"{path}.name", errors);
                if (!names.Add(name))
                    errors.Add(FieldError.Duplicate($"{path}.name", name));
            }
            else if (ports.Count > 1)
            {
                errors.Add(FieldError.Required($"{path}.name"));
            }

            PortRules.CheckNumber(port["port"], $"{path}.port", errors);
            PortRules.CheckNumberOrName(port["targetPort"], $"{path}.targetPort", errors);
            PortRules.CheckAppProtocol(port, path, errors);
            if (type == "ClusterIP" && port["nodePort"] is not null)
                errors.Add(FieldError.Forbidden($"{path}.nodePort", "may not be used when `type` is 'ClusterIP'"));
            if (!numbers.Add($"{port["protocol"]} {port["port"]}"))
                errors.Add(FieldError.Duplicate(path, port));
        }
    }

    /// <summary>The first address stays for ever; the second goes only if SingleStack is asked for. A headless Service stays so, but may change its families.</summary>
    private static void CheckUpdate(JsonObject spec, JsonObject old, List<FieldError> errors)
    {
        if (spec["type"].String() == "ExternalName" || old["type"].String() == "ExternalName" || ServiceFamilies.IsHeadless(spec) && ServiceFamilies.IsHeadless(old))
            return;
        foreach (var (field, word) in ((string, string)[])[("clusterIPs", "clusterIP"), ("ipFamilies", "ipFamily")])
        {
            if (field == "ipFamilies" && ServiceFamilies.IsHeadless(spec) != ServiceFamilies.IsHeadless(old))
                continue;
            var (before, after) = (old[field].Strings(), spec[field].Strings());
            for (var i = 0; i < Math.Min(before.Length, after.Length); i++)
                if (before[i] != after[i])
                    errors.Add(FieldError.Invalid($"spec.{field}[{i}]", spec[field], "may not change once set"));
            if (before.Length > 0 && after.Length == 0)
                errors.Add(FieldError.Invalid($"spec.{field}[0]", null, $"primary {word} can not be unset"));
            if (after.Length == 1 && before.Length == 2 && spec["ipFamilyPolicy"].String() != "SingleStack")
                errors.Add(FieldError.Invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], $"must be set to 'SingleStack' when releasing the secondary {word}"));
        }
    }
}
