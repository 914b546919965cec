using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer;

/// <summary>The part of kubectl's JSONPath that printer columns use: names, quoted names, indexes, <c>[*]</c>, <c>[?(@.a=="b")]</c>.</summary>
public sealed partial class JsonPath
{
    private readonly List<Func<JsonNode?, IEnumerable<JsonNode?>>> steps = [];

    // Of a path of names alone, as nearly all are.
    private string[]? names = [];

    /// <exception cref="FormatException">The path is not of that part.</exception>
    public static JsonPath Parse(string text)
    {
        var path = new JsonPath();
        for (var at = 0; at < text.Length;)
        {
            var match = Step().Match(text, at);
            if (!match.Success)
                throw new FormatException($"unsupported JSONPath {text} at {at}");
            path.steps.Add(StepOf(match));
            path.names = match.Groups["name"].Success && path.names is { } before ? [.. before, NameOf(match)] : null;
            at += match.Length;
        }
        return path.steps.Count > 0 ? path : throw new FormatException("empty JSONPath");
    }

    /// <summary>The first node that it leads to, if any: what a column shows.</summary>
    public JsonNode? First(JsonNode? node) => names is null ? Select(node).FirstOrDefault() : node.At(names);

    public IEnumerable<JsonNode?> Select(JsonNode? node) =>
        steps.Aggregate((IEnumerable<JsonNode?>)[node], (nodes, step) => nodes.SelectMany(step)).Where(n => n is not null);

    private static string NameOf(Match match) => match.Groups["name"].Value.Replace("\\.", ".");

    private static Func<JsonNode?, IEnumerable<JsonNode?>> StepOf(Match match)
    {
        if (match.Groups["name"].Success && NameOf(match) is var name)
            return n => [n.At(name)];
        if (match.Groups["index"] is { Success: true, Value: var index })
            return n => n is JsonArray list && int.Parse(index) is var i && i < list.Count ? [list[i]] : [];
        if (match.Groups["field"] is { Success: true, Value: var field } && match.Groups["value"].Value is var wanted)
            return n => n is JsonArray list ? list.Where(i => i.At(field.Split('.')).String() == wanted) : [];
        return n => n switch { JsonArray list => list, JsonObject fields => fields.Select(f => f.Value), _ => [] };
    }

    [GeneratedRegex("""\G(?:\.(?<name>(?:[\w-]|\\\.)+)|\['(?<name>[^']+)'\]|\[(?<index>\d+)\]|\[\*\]|\.\*|\[\?\(@\.(?<field>[\w.]+)\s*==\s*["'](?<value>[^"']*)["']\)\])""")]
    private static partial Regex Step();
}
