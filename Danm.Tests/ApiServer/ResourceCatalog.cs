using System.Collections.Immutable;

namespace Danm.Tests.ApiServer;

/// <summary>The resources served now. Readers see one consistent set while CustomResourceDefinitions come and go.</summary>
public sealed class ResourceCatalog
{
    private ImmutableDictionary<(string Group, string Version, string Plural), ResourceType> types =
        BuiltInTypes.All.ToImmutableDictionary(t => (t.Group, t.Version, t.Plural));

    public IEnumerable<ResourceType> All => types.Values.OrderBy(t => t.Group, StringComparer.Ordinal).ThenBy(t => t.Plural, StringComparer.Ordinal);

    public ResourceType? Find(string group, string version, string plural) => types.GetValueOrDefault((group, version, plural));

    public ResourceType? FindKind(string? apiVersion, string? kind) => types.Values.FirstOrDefault(t => t.ApiVersion == apiVersion && t.Kind == kind);

    /// <summary>A kind or plural of the group that another resource holds already is a conflict.</summary>
    public ResourceType? Rival(ResourceType type) =>
        types.Values.FirstOrDefault(t => t.Group == type.Group && t.Plural != type.Plural && t.Kind == type.Kind);

    public void Set(ResourceType type) => ImmutableInterlocked.Update(ref types, t => t.SetItem((type.Group, type.Version, type.Plural), type));

    public void Remove(ResourceType type) => ImmutableInterlocked.Update(ref types, t => t.Remove((type.Group, type.Version, type.Plural)));
}
