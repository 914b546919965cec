using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.ApiReference;

/// <summary>A kind as its CustomResourceDefinition has it, in its one version.</summary>
internal sealed class CustomKind(JsonObject definition)
{
    // As a reader meets them: what he writes first, then what Danm writes.
    private static readonly string[] Order = ["DanmNet", "TenantNetwork", "ClusterNetwork", "TenantConfig", "DanmEp", "IPAllocation", "VNIAllocation"];

    private readonly JsonNode version = definition.At("spec", "versions")!.AsArray().Single()!;

    public string Name => definition.At("spec", "names", "kind").String()!;

    public string Plural => definition.At("spec", "names", "plural").String()!;

    public string ApiVersion => $"{definition.At("spec", "group").String()}/{version["name"].String()}";

    public bool Namespaced => definition.At("spec", "scope").String() == "Namespaced";

    public IEnumerable<string> ShortNames => Texts(definition.At("spec", "names", "shortNames"));

    public IEnumerable<string> Categories => Texts(definition.At("spec", "names", "categories"));

    public JsonObject Schema => (JsonObject)version.At("schema", "openAPIV3Schema")!;

    public IEnumerable<JsonNode> Columns => Nodes(version["additionalPrinterColumns"]);

    public IEnumerable<string> SelectableFields => Nodes(version["selectableFields"]).Select(f => f["jsonPath"].String()!.TrimStart('.'));

    /// <summary>All kinds of manifests/crds.</summary>
    /// <exception cref="InvalidOperationException">There is one whose place on the page nobody has said.</exception>
    public static List<CustomKind> All()
    {
        var kinds = Manifests.Read(Path.Combine(DanmBinary.Repository, "manifests/crds")).Select(d => new CustomKind(d)).ToDictionary(k => k.Name);
        if (kinds.Keys.Except(Order).FirstOrDefault() is { } unknown)
            throw new InvalidOperationException($"{unknown} has no place in the API reference: give it one");
        return [.. Order.Select(name => kinds[name])];
    }

    /// <summary>Whether an object of the other kind could be one of this: of the fields only what is said of them may differ.</summary>
    public bool HasFieldsAndRulesOf(CustomKind other) =>
        SchemaField.Of(Schema).Select(f => f.Path).SequenceEqual(SchemaField.Of(other.Schema).Select(f => f.Path))
        && SchemaField.Of(Schema).SelectMany(f => f.Rules).SequenceEqual(SchemaField.Of(other.Schema).SelectMany(f => f.Rules));

    private static IEnumerable<JsonNode> Nodes(JsonNode? list) => (list as JsonArray ?? []).Select(n => n!);

    private static IEnumerable<string> Texts(JsonNode? list) => Nodes(list).Select(n => n.String()!);
}
