using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer.Services;

/// <summary>Fields whose Go type is no pointer and has <c>omitempty</c>: their zero value is stored and shown as nothing.</summary>
internal static class GoFields
{
    public static void DropZero(JsonObject fields, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (fields.ContainsKey(name) && IsZero(fields[name]))
                fields.Remove(name);
    }

    /// <summary>The objects of a list, whatever else a client put there: the schema has not been looked at yet.</summary>
    public static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray)?.OfType<JsonObject>() ?? [];

    private static bool IsZero(JsonNode? value) => value switch
    {
        null => true,
        JsonArray list => list.Count == 0,
        JsonObject fields => fields.Count == 0,
        JsonValue number when number.GetValueKind() == JsonValueKind.Number => SchemaValidator.AsInteger(number) == 0,
        _ => value.String() is "" || value.GetValueKind() == JsonValueKind.False,
    };
}
