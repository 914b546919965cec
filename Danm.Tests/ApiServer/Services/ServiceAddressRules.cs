using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>That clusterIP, clusterIPs and ipFamilies of a Service, as far as they are given, belong together.</summary>
internal static class ServiceAddressRules
{
    public static void Check(JsonObject spec, List<FieldError> errors)
    {
        var (addresses, families) = (spec["clusterIPs"].Strings(), spec["ipFamilies"].Strings());
        if (spec["clusterIP"].String() is not { } first)
        {
            if (addresses.Length > 0)
                errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], "must be empty when `clusterIP` is not specified"));
        }
        else if (addresses[0] != first)
        {
            errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`"));
        }

        if (families.Length != families.Distinct().Count())
            errors.Add(FieldError.Duplicate("spec.ipFamilies[1]", families[1]));
        if (spec["type"].String() is "NodePort" or "LoadBalancer" && addresses is ["None", ..])
            errors.Add(FieldError.Invalid("spec.clusterIPs[0]", "None", $"may not be set to 'None' for {spec["type"].String()} services"));
        CheckEach(spec, addresses, families, errors);
    }

    private static void CheckEach(JsonObject spec, string[] addresses, string[] families, List<FieldError> errors)
    {
        if (addresses is ["None"])
            return;
        if (addresses is ["None", ..])
            errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], "'None' must be the first and only value"));
        if (addresses.Length > 2)
            errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], "may only hold up to 2 values"));
        var isGood = true;
        for (var i = 0; i < addresses.Length; i++)
        {
            if (AddressRules.IsAddress(addresses[i]) || i == 0 && addresses[i] == "None")
                continue;
            errors.Add(FieldError.Invalid($"spec.clusterIPs[{i}]", addresses[i], "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
            isGood = false;
        }

        if (!isGood)
            return;
        if (addresses.Select(AddressRules.FamilyOf).Distinct().Count() < addresses.Length)
            errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], "may specify no more than one IP for each IP family"));
        for (var i = 0; i < Math.Min(addresses.Length, families.Length); i++)
            if (AddressRules.FamilyOf(addresses[i]) != families[i])
                errors.Add(FieldError.Invalid($"spec.clusterIPs[{i}]", addresses[i], $"expected an {families[i]} value as indicated by `ipFamilies[{i}]`"));
    }
}
