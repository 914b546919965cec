using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>A column of a <c>meta.k8s.io/v1 Table</c> and how its cell is made from an object.</summary>
/// <param name="Priority">0 shows always, above only with <c>-o wide</c>.</param>
public sealed record Column(string Title, string Type, string Format, string Description, int Priority, Func<JsonObject, JsonNode?> Cell)
{
    public static readonly Column Name = new("Name", "string", "name", "Name must be unique within a namespace.", 0,
        o => o.At("metadata", "name").String());

    public static readonly Column Age = new("Age", "string", "", "Time since the object was created.", 0,
        o => HumanDuration.Since(o.At("metadata", "creationTimestamp").String()));

    public static Column Of(string title, Func<JsonObject, JsonNode?> cell, int priority = 0, string type = "string") =>
        new(title, type, "", title, priority, cell);
}
