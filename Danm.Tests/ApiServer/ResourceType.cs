using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;
using Danm.Tests.ApiServer.Services;

namespace Danm.Tests.ApiServer;

/// <summary>One resource of one group and version, built in or of a CustomResourceDefinition.</summary>
public sealed class ResourceType
{
    public required string Group { get; init; }

    public required string Version { get; init; }

    public required string Kind { get; init; }

    public required string Plural { get; init; }

    public string Singular { get; init; } = "";

    public string ListKind { get => field ?? Kind + "List"; init; }

    public string[] ShortNames { get; init; } = [];

    public string[] Categories { get; init; } = [];

    public bool Namespaced { get; init; }

    public bool HasStatus { get; init; }

    /// <summary>Of a CustomResourceDefinition: strict schema, merge patch only.</summary>
    public bool IsCustom { get; init; }

    /// <summary>What its objects look like. Built-in types have partial ones: what they do not know, they keep.</summary>
    public required StructuralSchema Schema { get; init; }

    /// <summary>Turns what a client may write into what is stored, before anything else looks at it.</summary>
    public Action<JsonObject>? Normalize { get; init; }

    /// <summary>What is decided of the object (and the stored one, on an update) from all others of its kind; its writers take turns.</summary>
    public Action<ServiceAllocation, JsonObject, JsonObject?, List<FieldError>>? Allocate { get; init; }

    /// <summary>What is checked of an object and, on an update, of it against the stored one, beyond the schema.</summary>
    public Action<JsonObject, JsonObject?, List<FieldError>>? Check { get; init; }

    /// <summary>Brings an object that has passed all checks into the one form that is stored.</summary>
    public Action<JsonObject>? Canonicalize { get; init; }

    /// <summary>Whether <c>metadata.generation</c> counts the changes of what is not status.</summary>
    public bool HasGeneration { get => field || IsCustom; init; }

    /// <summary>Whether it counts changes of labels too.</summary>
    public bool GenerationCountsLabels { get; init; }

    /// <summary>Whether a PUT of an object that is not there makes it (<c>AllowCreateOnUpdate</c>).</summary>
    public bool CreatesOnUpdate { get; init; }

    /// <summary>Whether a PUT has to say which version it replaces (no <c>AllowUnconditionalUpdate</c>).</summary>
    public bool NeedsVersion { get => field || IsCustom; init; }

    public Column[] Columns { get; init; } = [Column.Name, Column.Age];

    /// <summary>Paths (without the leading dot) that field selectors may use besides name and namespace.</summary>
    public string[] SelectableFields { get; init; } = [];

    /// <summary>Under which name the objects are stored: two versions of Events share one.</summary>
    public string StorageName { get => field ?? QualifiedName; init; }

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>plural.group, as messages and CRD names have it.</summary>
    public string QualifiedName => Group.Length == 0 ? Plural : $"{Plural}.{Group}";

    public override string ToString() => $"{ApiVersion} {Kind}";
}
