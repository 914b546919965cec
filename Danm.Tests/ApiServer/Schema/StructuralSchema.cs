using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// A structural schema of apiextensions.k8s.io/v1. JsonSchema.Net was tried on paper and left out: pruning, defaulting,
/// transition rules and the server's own wording all need the schema tree itself, and what remains of JSON Schema
/// in a structural schema is the page of code in <see cref="SchemaValidator"/>.
/// </summary>
public sealed class StructuralSchema
{
    /// <summary>Anything goes, nothing is pruned.</summary>
    public static readonly StructuralSchema Anything = new() { PreserveUnknownFields = true };

    /// <summary>object, array, string, integer, number, boolean; empty with int-or-string and for free values.</summary>
    public string Type { get; init; } = "";
    public string? Description { get; init; }
    public string? Format { get; init; }
    public string? Pattern { get; init; }
    public Regex? PatternRegex { get; init; }
    public JsonArray? Enum { get; init; }
    public double? Minimum { get; init; }
    public double? Maximum { get; init; }
    public bool ExclusiveMinimum { get; init; }
    public bool ExclusiveMaximum { get; init; }
    public double? MultipleOf { get; init; }
    public int? MinLength { get; init; }
    public int? MaxLength { get; init; }
    public int? MinItems { get; init; }
    public int? MaxItems { get; init; }
    public int? MinProperties { get; init; }
    public int? MaxProperties { get; init; }
    public string[] Required { get; init; } = [];
    public Dictionary<string, StructuralSchema> Properties { get; init; } = [];
    public StructuralSchema? AdditionalProperties { get; init; }
    public StructuralSchema? Items { get; init; }
    public JsonNode? Default { get; init; }
    public bool Nullable { get; init; }
    public bool IntOrString { get; init; }
    public bool PreserveUnknownFields { get; init; }
    public string ListType { get; init; } = "atomic";
    public string[] ListMapKeys { get; init; } = [];
    public StructuralSchema[] AllOf { get; init; } = [];
    public StructuralSchema[] AnyOf { get; init; } = [];
    public StructuralSchema[] OneOf { get; init; } = [];
    public StructuralSchema? Not { get; init; }

    /// <summary>The rules of <c>x-kubernetes-validations</c>, compiled.</summary>
    public CelRule[] Rules { get; internal set; } = [];

    /// <summary>Whether any rule stands here or below: most values need no walk for rules.</summary>
    public bool HasRules { get; internal set; }

    /// <summary>The schema as it was written, for OpenAPI.</summary>
    public JsonObject Source { get; init; } = [];

    public bool IsMap => Type == "object" && AdditionalProperties is not null;

    public StructuralSchema? Child(string property) =>
        Properties.TryGetValue(property, out var schema) ? schema : AdditionalProperties;
}
