using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer;

/// <summary>Makes a <see cref="ResourceType"/> of a CustomResourceDefinition, or says what is wrong with it.</summary>
public static class CustomResources
{
    public static ResourceType? Read(JsonObject crd, List<FieldError> errors)
    {
        var spec = crd["spec"]!;
        var names = spec["names"]!;
        var group = spec["group"].String()!;
        var plural = names["plural"].String()!;
        var kind = names["kind"].String()!;
        if (crd.At("metadata", "name").String() != $"{plural}.{group}")
            errors.Add(FieldError.Invalid("metadata.name", crd.At("metadata", "name"), "must be spec.names.plural+\".\"+spec.group"));
        if (!Names.IsSubdomain(group) || !group.Contains('.'))
            errors.Add(FieldError.Invalid("spec.group", group, "should be a domain with at least one dot"));
        if (!Names.IsLabel(plural))
            errors.Add(FieldError.Invalid("spec.names.plural", plural, "must be a DNS label"));
        if (!Names.IsLabel(kind.ToLowerInvariant()))
            errors.Add(FieldError.Invalid("spec.names.kind", kind, "may have mixed case, but should otherwise match a DNS label"));
        if (group.EndsWith(".k8s.io", StringComparison.Ordinal) && crd.At("metadata", "annotations", "api-approved.kubernetes.io").String() is null)
            errors.Add(FieldError.Required("metadata.annotations[api-approved.kubernetes.io]", "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"));
        var versions = (JsonArray)spec["versions"]!;
        if (versions.Count > 1)
            throw StatusException.NotImplemented("more than one version of a custom resource");
        var version = versions[0]!;
        if (!version["storage"]!.GetValue<bool>())
            errors.Add(FieldError.Invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
        if (version.At("subresources", "scale") is not null)
            throw StatusException.NotImplemented("the scale subresource");
        if (version.At("schema", "openAPIV3Schema") is not JsonObject source)
        {
            errors.Add(FieldError.Required("spec.versions[0].schema.openAPIV3Schema", "schemas are required"));
            return null;
        }
        var reader = new SchemaReader();
        var schema = reader.Read(source, "spec.versions[0].schema.openAPIV3Schema");
        errors.AddRange(reader.Errors);
        var columns = Columns(version, errors);
        var selectable = Selectable(version, schema, errors);
        return errors.Count > 0 ? null : new ResourceType
        {
            Group = group,
            Version = version["name"].String()!,
            Kind = kind,
            ListKind = names["listKind"].String() ?? kind + "List",
            Plural = plural,
            Singular = names["singular"].String() ?? kind.ToLowerInvariant(),
            ShortNames = Strings(names["shortNames"]),
            Categories = Strings(names["categories"]),
            Namespaced = spec["scope"].String() == "Namespaced",
            HasStatus = version.At("subresources", "status") is not null,
            IsCustom = true,
            Schema = schema,
            Columns = columns,
            SelectableFields = selectable,
        };
    }

    /// <summary>What the naming controller of a real server writes into the status.</summary>
    public static void Establish(JsonObject crd)
    {
        var names = (JsonObject)crd["spec"]!["names"]!;
        names["singular"] ??= names["kind"].String()!.ToLowerInvariant();
        names["listKind"] ??= names["kind"].String() + "List";
        crd["spec"]!["conversion"] ??= new JsonObject { ["strategy"] = "None" };
        crd["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(
                Condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                Condition("Established", "InitialNamesAccepted", "the initial names have been accepted")),
            ["acceptedNames"] = names.DeepClone(),
            ["storedVersions"] = new JsonArray(crd["spec"]!["versions"]![0]!["name"]!.DeepClone()),
        };
    }

    private static JsonObject Condition(string type, string reason, string message) => new()
    {
        ["type"] = type, ["status"] = "True", ["lastTransitionTime"] = Metadata.Now(), ["reason"] = reason, ["message"] = message,
    };

    private static Column[] Columns(JsonNode version, List<FieldError> errors)
    {
        if (version["additionalPrinterColumns"] is not JsonArray { Count: > 0 } list)
            return [Column.Name, Column.Age];
        var columns = new List<Column> { Column.Name };
        foreach (var (node, index) in list.Select((n, i) => (n!, i)))
        {
            try
            {
                var path = JsonPath.Parse(node["jsonPath"].String()!);
                var type = node["type"].String()!;
                columns.Add(new Column(node["name"].String()!, type, node["format"].String() ?? "", node["description"].String() ?? "",
                    node["priority"]?.GetValue<int>() ?? 0, o => Cell(path.First(o), type), IsAge: type == "date"));
            }
            catch (FormatException e)
            {
                errors.Add(FieldError.Invalid($"spec.versions[0].additionalPrinterColumns[{index}].jsonPath", node["jsonPath"], e.Message));
            }
        }
        return [.. columns];
    }

    /// <summary>Only the first match shows; a value of another type than the column's shows as nothing.</summary>
    private static JsonNode? Cell(JsonNode? found, string type) => found is { } value ? type switch
    {
        "date" => value.String(),
        "integer" => value is JsonValue number && SchemaValidator.AsInteger(number) is { } integer ? integer : null,
        "string" => value.String() ?? value.ToJsonString(Json.Relaxed),
        _ => value.DeepClone(),
    } : null;

    private static string[] Selectable(JsonNode version, StructuralSchema schema, List<FieldError> errors)
    {
        var result = new List<string>();
        foreach (var (node, index) in (version["selectableFields"] as JsonArray ?? []).Select((n, i) => (n!, i)))
        {
            var path = node["jsonPath"].String()!;
            var target = path.StartsWith('.') ? path[1..].Split('.').Aggregate((StructuralSchema?)schema, (s, name) => s?.Properties.GetValueOrDefault(name)) : null;
            if (target?.Type is not ("string" or "integer" or "boolean"))
                errors.Add(FieldError.Invalid($"spec.versions[0].selectableFields[{index}].jsonPath", path, "must point to a field of type string, boolean or integer"));
            result.Add(path.TrimStart('.'));
        }
        return [.. result];
    }

    private static string[] Strings(JsonNode? list) => list is JsonArray array ? [.. array.Select(v => v.String()!)] : [];
}
