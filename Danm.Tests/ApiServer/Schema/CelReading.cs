using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// What a rule reads, found by following its <c>self.a.b</c> and <c>oldSelf.a.b</c> chains, and those of its macros'
/// variables, through the schema: unknown fields and names are faults, as for a real server's type checker,
/// and the sizes of what is read make the cost.
/// </summary>
public sealed partial class CelReading
{
    private static readonly HashSet<string> Words = ["true", "false", "null", "in"];
    private static readonly HashSet<string> Macros = ["all", "exists", "exists_one", "map", "filter"];
    private static readonly HashSet<string> Functions =
        ["has", "size", "int", "uint", "double", "string", "bool", "type", "matches", "startsWith", "endsWith", "contains"];

    private readonly Dictionary<string, StructuralSchema?> variables = [];
    private double loops = 1;
    private double sizes = 1;

    public List<string> Faults { get; } = [];

    /// <summary>Names that nothing stands behind.</summary>
    public List<string> Undeclared { get; } = [];

    public List<string> Unbounded { get; } = [];

    public bool UsesOldSelf { get; private set; }

    public double Cost => sizes * loops;

    public static CelReading Of(string rule, StructuralSchema schema) =>
        Of(rule, new Dictionary<string, StructuralSchema?> { ["self"] = schema, ["oldSelf"] = schema });

    /// <param name="rule">The text of an expression.</param>
    /// <param name="variables">What it may read, by name; of what has no schema all may be read.</param>
    public static CelReading Of(string rule, IReadOnlyDictionary<string, StructuralSchema?> variables)
    {
        var reading = new CelReading();
        foreach (var (name, schema) in variables)
            reading.variables[name] = schema;
        reading.Read(StringLiteral().Replace(rule, m => "''"));
        return reading;
    }

    private void Read(string rule)
    {
        foreach (Match match in Chain().Matches(rule))
        {
            var root = match.Groups["root"].Value;
            var called = NextIs(rule, match.Index + match.Length, '(');
            var steps = match.Groups["step"].Captures.Select(c => c.Value).ToArray();
            foreach (var index in steps.Where(s => s.StartsWith('[')))
                Read(index[1..^1]);
            if (steps.Length == 0 && called)
            {
                if (!Functions.Contains(root))
                    Faults.Add($"undeclared reference to '{root}'");
                continue;
            }
            if (Words.Contains(root))
                continue;
            UsesOldSelf |= root == "oldSelf";
            if (!variables.TryGetValue(root, out var schema))
            {
                Faults.Add($"undeclared reference to '{root}' (in container '')");
                Undeclared.Add(root);
                continue;
            }
            Follow(rule, match, schema, steps, called);
        }
    }

    private void Follow(string rule, Match match, StructuralSchema? schema, string[] steps, bool called)
    {
        var method = called && steps.Length > 0 && !steps[^1].StartsWith('[') ? steps[^1] : null;
        foreach (var step in method is null ? steps : steps[..^1])
        {
            if (schema is null || ReferenceEquals(schema, StructuralSchema.Anything))
                return;
            var next = step.StartsWith('[') ? schema.Items ?? schema.AdditionalProperties : schema.Child(Unescape(step));
            if (next is null)
            {
                Faults.Add(step.StartsWith('[') ? $"no index on {match.Value}" : $"undefined field '{step}'");
                return;
            }
            schema = next;
        }
        if (method is not null && Macros.Contains(method))
        {
            var variable = MacroVariable().Match(rule, match.Index + match.Length);
            if (!variable.Success)
                Faults.Add($"{method} needs a variable");
            else
                variables[variable.Groups[1].Value] = schema is { IsMap: true } ? new StructuralSchema { Type = "string", MaxLength = 256 } : schema?.Items;
            loops *= schema?.MaxItems ?? schema?.MaxProperties ?? double.PositiveInfinity;
            if (schema is { MaxItems: null, MaxProperties: null })
                Unbounded.Add(match.Value);
        }
        else if (method is not null && !Functions.Contains(method))
            Faults.Add($"undeclared reference to '{method}'");
        else if (!InsideHas(rule, match.Index) && schema is not null)
        {
            var size = Size(schema);
            sizes += size;
            if (double.IsInfinity(size))
                Unbounded.Add(match.Value);
        }
    }

    private static double Size(StructuralSchema schema) => schema switch
    {
        { Enum: not null } => 1,
        { IntOrString: true } => schema.MaxLength ?? double.PositiveInfinity,
        { Type: "string" } => (schema.MaxLength ?? (schema.Format is "date" or "date-time" or "duration" ? 64 : double.PositiveInfinity)) / 10,
        { Type: "array" } => schema.MaxItems * Size(schema.Items!) ?? double.PositiveInfinity,
        { IsMap: true } => schema.MaxProperties * (25 + Size(schema.AdditionalProperties!)) ?? double.PositiveInfinity,
        { Type: "object" } => schema.Properties.Values.Sum(Size) + 1,
        { PreserveUnknownFields: true, Type: "" } => double.PositiveInfinity,
        _ => 1,
    };

    private static bool InsideHas(string rule, int index) => rule.AsSpan(0, index).TrimEnd().EndsWith("has(");

    private static bool NextIs(string rule, int index, char wanted) => rule.AsSpan(Math.Min(index, rule.Length)).TrimStart() is [var c, ..] && c == wanted;

    /// <summary>Field names that are no CEL identifiers, as KEP-2876 writes them.</summary>
    public static string Escape(string name) => name is "true" or "false" or "null" or "in" or "as" or "break" or "const" or "continue" or "else"
        or "for" or "function" or "if" or "import" or "let" or "loop" or "package" or "namespace" or "return" or "var" or "void" or "while"
        ? $"__{name}__"
        : name.Replace("__", "__underscores__").Replace(".", "__dot__").Replace("-", "__dash__").Replace("/", "__slash__");

    private static string Unescape(string name)
    {
        var plain = name.Replace("__dot__", ".").Replace("__dash__", "-").Replace("__slash__", "/").Replace("__underscores__", "__");
        return plain.Length > 4 && plain.StartsWith("__") && plain.EndsWith("__") ? plain[2..^2] : plain;
    }

    [GeneratedRegex("r?'(?:[^'\\\\]|\\\\.)*'|r?\"(?:[^\"\\\\]|\\\\.)*\"")]
    private static partial Regex StringLiteral();

    [GeneratedRegex(@"(?<![\w.'\])])(?<root>[A-Za-z_]\w*)(?:\s*(?:\.\s*(?<step>[A-Za-z_]\w*)|(?<step>\[[^\]]*\])))*")]
    private static partial Regex Chain();

    [GeneratedRegex(@"\G\s*\(\s*([A-Za-z_]\w*)\s*,")]
    private static partial Regex MacroVariable();
}
