using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>
/// A file of manifests/examples: objects, and in the comment above them what becomes of the last one. <c>expect: accepted</c>, or
/// <c>expect: denied:</c> with the fields at fault. <c>warning:</c> a part of a warning. <c>stored: path = value</c>, where the value may be a choice
/// (<c>a | b</c>) or a range (<c>1..9</c>). <c>plan: namespace/pod: text</c> a part of what <c>danm plan</c> says, blanks counted once;
/// <c>plan fails:</c> a part of its error. <c>needs:</c> another file that comes first.
/// </summary>
public sealed class Example
{
    private static readonly string[] Keys = ["needs", "expect", "warning", "stored", "plan", "plan fails"];

    private readonly List<(string Key, string Value)> expectations = [];

    public Example(string name)
    {
        Name = name;
        var text = File.ReadAllText(Path.Combine(Folder, name));
        Objects = [.. Yaml.Documents(text)];
        foreach (var line in text.Split('\n').TakeWhile(line => line.StartsWith('#')).Select(line => line[1..].Trim()))
        {
            if (Array.Find(Keys, key => line.StartsWith($"{key}: ", StringComparison.Ordinal)) is { } key)
                expectations.Add((key, line[(key.Length + 2)..].Trim()));
            else
                HasText |= line.Length > 0;
        }
    }

    public static string Folder { get; } = Path.Combine(DanmBinary.Repository, "manifests", "examples");

    public string Name { get; }

    public IReadOnlyList<JsonObject> Objects { get; }

    /// <summary>Whether the comment says something to people, too.</summary>
    public bool HasText { get; }

    /// <summary>The values of a key, in order.</summary>
    public IReadOnlyList<string> this[string key] => [.. expectations.Where(expectation => expectation.Key == key).Select(expectation => expectation.Value)];

    /// <summary>The fields at fault; null if it is accepted.</summary>
    public IReadOnlyList<string>? Denied => this["expect"].Single() switch
    {
        "accepted" => null,
        var text when text.StartsWith("denied: ", StringComparison.Ordinal) => text["denied: ".Length..].Split(", "),
        var text => throw new FormatException($"{Name}: cannot expect '{text}'"),
    };

    public override string ToString() => Name;
}
