namespace Danm.Doctor.Cluster;

/// <summary>What a version of a CustomResourceDefinition knows: what two builds' differ in.</summary>
internal static class SchemaFields
{
    private const int MaxDepth = 32;

    /// <summary>The fields by their paths, and the fields that selectors may name.</summary>
    public static HashSet<string> Of(Document version)
    {
        var fields = new HashSet<string>();
        Collect(version["schema"]["openAPIV3Schema"], "", fields, 0);
        fields.UnionWith(version["selectableFields"].Items.Select(s => $"selectable field {s["jsonPath"].Text}"));
        return fields;
    }

    private static void Collect(Document schema, string path, HashSet<string> fields, int depth)
    {
        if (depth > MaxDepth)
            return;
        foreach (var (name, value) in schema["properties"].Members)
        {
            var member = path.Length == 0 ? name : $"{path}.{name}";
            fields.Add(member);
            Collect(value, member, fields, depth + 1);
        }

        if (schema["items"].Exists)
            Collect(schema["items"], path + "[]", fields, depth + 1);
        if (schema["additionalProperties"].Exists)
            Collect(schema["additionalProperties"], path + "{}", fields, depth + 1);
    }
}
