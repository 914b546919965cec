using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>
/// Which IP families a Service has, decided from what its client says and what was stored before, as a real server decides
/// it in a cluster of both families that prefers IPv4. <see cref="ClusterAddresses"/> then gives it addresses.
/// </summary>
internal static class ServiceFamilies
{
    private static readonly string[] Linked = ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"];

    public static bool IsHeadless(JsonObject spec) => spec["clusterIPs"].Strings() is ["None"];

    public static void Decide(JsonObject spec, JsonObject? old, List<FieldError> errors)
    {
        if (old is not null)
            KeepGiven(spec, old);
        LinkAddresses(spec, old);
        var type = spec["type"].String();
        if (type == "ExternalName")
            return;
        // Nobody turns a Service that would like both into one that has one, or back, by accident.
        if (old is not null && spec["ipFamilyPolicy"].String() == "PreferDualStack" && Linked.All(f => f == "clusterIP" || JsonNode.DeepEquals(spec[f], old[f])))
            return;
        var isSelectorless = spec["clusterIP"].String() == "None" && spec["selector"] is null;
        spec["ipFamilyPolicy"] ??= old?["ipFamilyPolicy"].String() ?? (isSelectorless ? "RequireDualStack" : "SingleStack");
        ServiceAddressRules.Check(spec, errors);
        if (errors.Count > 0)
            return;
        var policy = spec["ipFamilyPolicy"].String();
        if (old is not null)
            Shrink(spec, old, policy, errors);
        foreach (var (field, what) in ((string, string)[])[("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")])
            if (policy == "SingleStack" && spec[field].Strings().Length == 2)
                errors.Add(FieldError.Invalid("spec.ipFamilyPolicy", policy, $"must be 'RequireDualStack' or 'PreferDualStack' when multiple {what} are specified"));
        if (errors.Count > 0)
            return;

        var families = spec["ipFamilies"].Strings().ToList();
        if (!IsHeadless(spec))
            families.AddRange(spec["clusterIPs"].Strings().Skip(families.Count).Select(AddressRules.FamilyOf));
        if (families.Count == 0)
            families.Add("IPv4");
        if (families.Count == 1 && policy != "SingleStack")
            families.Add(families[0] == "IPv4" ? "IPv6" : "IPv4");
        spec["ipFamilies"] = new JsonArray([.. families.Select(f => (JsonNode)f)]);
    }

    /// <summary>What was given to the Service and is not named any more stays, and goes with the type that it was given for.</summary>
    private static void KeepGiven(JsonObject spec, JsonObject old)
    {
        var (hasAddresses, hadAddresses) = (spec["type"].String() != "ExternalName", old["type"].String() != "ExternalName");
        if (hasAddresses && hadAddresses)
        {
            if (spec["clusterIP"] is null && old["clusterIP"] is { } address)
                spec["clusterIP"] = address.DeepClone();
            if (spec["clusterIPs"] is null && old["clusterIPs"] is { } addresses && spec["clusterIP"].String() == old["clusterIP"].String())
                spec["clusterIPs"] = addresses.DeepClone();
        }
        else if (hadAddresses)
        {
            foreach (var field in Linked)
                if (JsonNode.DeepEquals(spec[field], old[field]))
                    spec.Remove(field);
        }
    }

    /// <summary>Old clients know the one address only.</summary>
    private static void LinkAddresses(JsonObject spec, JsonObject? old)
    {
        var (one, before) = (spec["clusterIP"].String(), old?["clusterIP"].String());
        if (one is not null && (spec["clusterIPs"] is null || before is not null && one != before && JsonNode.DeepEquals(spec["clusterIPs"], old!["clusterIPs"])))
            spec["clusterIPs"] = new JsonArray(one);
        else if (one is null && before is not null && JsonNode.DeepEquals(spec["clusterIPs"], old!["clusterIPs"]))
            spec.Remove("clusterIPs");
    }

    private static void Shrink(JsonObject spec, JsonObject old, string? policy, List<FieldError> errors)
    {
        foreach (var (field, what) in ((string, string)[])[("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")])
        {
            var (before, after) = (old[field].Strings(), spec[field].Strings());
            if (policy == "SingleStack" && after.Length > 1 && before.SequenceEqual(after))
                spec[field] = new JsonArray(after[0]);
            else if (policy != "SingleStack" && after.Length == 1 && before.Length == 2)
                errors.Add(FieldError.Invalid("spec.ipFamilyPolicy", policy, $"must be 'SingleStack' to release the secondary {what}"));
        }
    }
}
