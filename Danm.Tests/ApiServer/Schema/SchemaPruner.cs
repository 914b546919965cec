using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>Drops what the schema does not know, and fills in defaults, as a real server does before it validates.</summary>
public static class SchemaPruner
{
    /// <param name="unknown">Receives the path of everything that was dropped, as strict decoding reports it.</param>
    public static void Prune(JsonNode? value, StructuralSchema schema, string path, List<string> unknown)
    {
        if (value is JsonObject fields)
        {
            foreach (var name in fields.Select(f => f.Key).ToArray())
            {
                var childPath = path.Length == 0 ? name : $"{path}.{name}";
                if (schema.Child(name) is { } child)
                    Prune(fields[name], child, childPath, unknown);
                else if (!schema.PreserveUnknownFields)
                {
                    unknown.Add(childPath);
                    fields.Remove(name);
                }
            }
        }
        else if (value is JsonArray list && schema.Items is { } items)
        {
            for (var i = 0; i < list.Count; i++)
                Prune(list[i], items, $"{path}[{i}]", unknown);
        }
    }

    /// <summary>Nulls where none may be count as absent; absent properties get their default, outermost first.</summary>
    public static void ApplyDefaults(JsonNode? value, StructuralSchema schema)
    {
        if (value is JsonObject fields)
        {
            foreach (var name in fields.Where(f => f.Value is null && schema.Child(f.Key) is { Nullable: false }).Select(f => f.Key).ToArray())
                fields.Remove(name);
            foreach (var (name, child) in schema.Properties)
                if (child.Default is { } preset && !fields.ContainsKey(name))
                    fields[name] = preset.DeepClone();
            foreach (var (name, child) in fields)
                if (child is JsonObject or JsonArray && schema.Child(name) is { } childSchema)
                    ApplyDefaults(child, childSchema);
        }
        else if (value is JsonArray list && schema.Items is { } items)
        {
            foreach (var item in list)
                ApplyDefaults(item, items);
        }
    }
}
