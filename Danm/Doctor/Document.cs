using System.Text.Json;

namespace Danm.Doctor;

/// <summary>An object of which no type of ours knows anything. What is not there, or is something else, reads as nothing.</summary>
/// <param name="Json">The object, or a part of it.</param>
internal readonly record struct Document(JsonElement Json)
{
    /// <summary>A member; nothing if there is none.</summary>
    public Document this[string name] => new(Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var member) ? member : default);

    /// <summary>Whether there is anything.</summary>
    public bool Exists => Json.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null);

    /// <summary>A text, or a number or boolean as it is written; empty for anything else.</summary>
    public string Text => Json.ValueKind switch
    {
        JsonValueKind.String => Json.GetString()!,
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Json.GetRawText(),
        _ => "",
    };

    /// <summary>A whole number; 0 for anything else.</summary>
    public long Number => Json.ValueKind == JsonValueKind.Number && Json.TryGetInt64(out var number) ? number : 0;

    /// <summary>The elements of a list; none of anything else.</summary>
    public IEnumerable<Document> Items => Json.ValueKind == JsonValueKind.Array ? Json.EnumerateArray().Select(e => new Document(e)) : [];

    /// <summary>The texts of a list.</summary>
    public IEnumerable<string> Texts => Items.Select(i => i.Text);

    /// <summary>The members of an object, with their names.</summary>
    public IEnumerable<(string Name, Document Value)> Members => Json.ValueKind == JsonValueKind.Object ? Json.EnumerateObject().Select(m => (m.Name, new Document(m.Value))) : [];

    /// <summary>metadata.name.</summary>
    public string Name => this["metadata"]["name"].Text;

    /// <summary>metadata.namespace; empty for what has none.</summary>
    public string Namespace => this["metadata"]["namespace"].Text;

    /// <summary>Kind, namespace and name, for messages.</summary>
    public override string ToString() => $"{this["kind"].Text} {(Namespace.Length > 0 ? $"{Namespace}/" : "")}{Name}";
}
