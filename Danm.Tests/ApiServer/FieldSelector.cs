using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer;

/// <summary>Field selectors: <c>a=b</c>, <c>a==b</c>, <c>a!=b</c> joined by commas, on the fields that the resource offers.</summary>
public sealed class FieldSelector
{
    private readonly List<Predicate<StoredObject>> terms = [];

    /// <summary>The one name that can match, where the selector says so: such a list needs no scan.</summary>
    public string? Name { get; private set; }

    public bool IsEmpty => terms.Count == 0;

    /// <exception cref="StatusException">400: the resource has no such field.</exception>
    public static FieldSelector Parse(string? text, ResourceType type)
    {
        var selector = new FieldSelector();
        foreach (var term in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = term.IndexOf('=');
            if (at < 1)
                throw StatusException.BadRequest($"invalid selector: '{text}'; can't understand '{term}'");
            var negate = term[at - 1] == '!';
            var field = term[..(negate ? at - 1 : at)];
            var value = term[(at + 1)..].TrimStart('=').Replace("\\,", ",").Replace("\\=", "=");
            if (field == "metadata.name" && !negate)
                selector.Name = value;
            var read = Reader(field, type);
            selector.terms.Add(o => read(o) == value != negate);
        }
        return selector;
    }

    public bool Matches(StoredObject item) => terms.TrueForAll(t => t(item));

    private static Func<StoredObject, string> Reader(string field, ResourceType type)
    {
        if (field == "metadata.name")
            return o => o.Name;
        if (field == "metadata.namespace")
            return o => o.Namespace ?? "";
        var index = Array.IndexOf(type.SelectableFields, field);
        return index >= 0 ? o => o.Fields[index] : throw StatusException.BadRequest($"field label not supported: {field}");
    }
}
