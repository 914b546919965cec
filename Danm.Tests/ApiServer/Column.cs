using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>A column of a <c>meta.k8s.io/v1 Table</c> and how its cell is made from an object.</summary>
/// <param name="Priority">0 shows always, above only with <c>-o wide</c>.</param>
/// <param name="Cell">Depends on the object alone.</param>
/// <param name="IsAge">The cell is a timestamp, which the table shows as the time since.</param>
public sealed record Column(string Title, string Type, string Format, string Description, int Priority, Func<JsonObject, JsonNode?> Cell, bool IsAge = false)
{
    public static readonly Column Name = new("Name", "string", "name", "Name must be unique within a namespace.", 0,
        o => o.At("metadata", "name").String());

    public static readonly Column Age = new("Age", "string", "", "Time since the object was created.", 0,
        o => o.At("metadata", "creationTimestamp").String(), IsAge: true);

    public static Column Of(string title, Func<JsonObject, JsonNode?> cell, int priority = 0, string type = "string", bool isAge = false) =>
        new(title, type, "", title, priority, cell, isAge);
}
