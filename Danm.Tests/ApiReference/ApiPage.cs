using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.ApiReference;

/// <summary>The reference as Markdown.</summary>
internal static class ApiPage
{
    private const string Head = """
        # API reference

        Made from [manifests/crds](../manifests/crds) by `./build.sh --target=Docs`: change those, not this page. `kubectl explain danmnet.spec.Options` says the
        same on a cluster. How the objects hang together is told in [concepts.md](concepts.md), what each feature looks like in [guide.md](guide.md), and
        what the webhook demands beyond this in [network-rules.md](network-rules.md).

        Every object also has `apiVersion`, `kind` and `metadata`. In paths, `[]` stands for the items of a list. A field without "yes" may be left out, and
        none has a default in the definition unless the table says so: what a missing one means is in its description.

        """;

    public static string Write(IReadOnlyList<CustomKind> kinds)
    {
        var page = new StringBuilder(Head).AppendLine();
        page.AppendLine("| kind | short names | scope | |").AppendLine("|---|---|---|---|");
        foreach (var kind in kinds)
            page.AppendLine($"| [{kind.Name}](#{kind.Name.ToLowerInvariant()}) | {Codes(kind.ShortNames)} | {Scope(kind)} | {kind.Schema["description"].String()} |");
        foreach (var (index, kind) in kinds.Index())
            Add(page, kind, kinds.Take(index).FirstOrDefault(kind.HasFieldsAndRulesOf));
        return page.ToString();
    }

    private static void Add(StringBuilder page, CustomKind kind, CustomKind? same)
    {
        page.AppendLine().AppendLine($"## {kind.Name}").AppendLine();
        page.AppendLine(kind.Schema["description"].String()).AppendLine();
        page.AppendLine($"`apiVersion: {kind.ApiVersion}`, `{kind.Plural}`, short {Codes(kind.ShortNames)}, {Scope(kind)}, categories {Codes(kind.Categories)}.");
        if (kind.SelectableFields.Any())
            page.AppendLine().AppendLine($"Field selectors: {Codes(["metadata.name", .. kind.Namespaced ? ["metadata.namespace"] : Array.Empty<string>(), .. kind.SelectableFields])}.");

        page.AppendLine().AppendLine("| column of `kubectl get` | field |").AppendLine("|---|---|");
        foreach (var column in kind.Columns)
            page.AppendLine($"| {column["name"].String()}{(column["priority"] is null ? "" : " (with `-o wide`)")} | `{column["jsonPath"].String()!.TrimStart('.')}` |");

        var fields = SchemaField.Of(kind.Schema).ToList();
        if (same is not null)
        {
            var known = SchemaField.Of(same.Schema).Select(Row).ToHashSet();
            var own = fields.Select(Row).Where(r => !known.Contains(r)).ToList();
            page.AppendLine().AppendLine($"Its fields and rules are those of a [{same.Name}](#{same.Name.ToLowerInvariant()}), but for:");
            AddTable(page, own);
            return;
        }

        AddTable(page, fields.Select(Row));
        var rules = fields.Prepend(new SchemaField("the object", kind.Schema, false)).SelectMany(RulesOf).ToList();
        if (rules.Count == 0)
            return;
        page.AppendLine().AppendLine("| where | rule (CEL) | message |").AppendLine("|---|---|---|");
        foreach (var rule in rules)
            page.AppendLine(rule);
    }

    private static void AddTable(StringBuilder page, IEnumerable<string> rows)
    {
        page.AppendLine().AppendLine("| field | type | required | default | limits | meaning |").AppendLine("|---|---|---|---|---|---|");
        foreach (var row in rows)
            page.AppendLine(row);
    }

    private static string Row(SchemaField field) =>
        $"| `{field.Path}` | {field.Type} | {(field.IsRequired ? "yes" : "")} | {field.Default} | {string.Join("; ", field.Limits)} | {Description(field)} |";

    private static IEnumerable<string> RulesOf(SchemaField field)
    {
        foreach (var (rule, message) in field.Rules)
            yield return Row(field.Path, rule, message);
        if (field.Schema["items"] is JsonObject items)
        {
            foreach (var (rule, message) in new SchemaField("", items, false).Rules)
                yield return Row($"{field.Path}[]", rule, message);
        }
    }

    private static string Row(string path, string rule, string message) =>
        $"| {(path.Contains(' ') ? path : SchemaField.Code(path))} | {SchemaField.Code(rule)} | {message} |";

    private static string Description(SchemaField field)
    {
        var each = (field.Schema["items"] ?? field.Schema["additionalProperties"]) is { } values && values["properties"] is null ? $" Each: {values["description"].String()}" : "";
        return (field.Description + each).Replace("|", "\\|", StringComparison.Ordinal);
    }

    private static string Scope(CustomKind kind) => kind.Namespaced ? "namespaced" : "cluster-wide";

    private static string Codes(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"`{n}`"));
}
