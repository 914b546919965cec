using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer;

/// <summary>The label selector grammar: <c>k</c>, <c>!k</c>, <c>k=v</c>, <c>k!=v</c>, <c>k in (a,b)</c>, <c>k notin (a,b)</c>, <c>k&gt;1</c>, <c>k&lt;1</c>, joined by commas.</summary>
public sealed partial class LabelSelector
{
    private readonly List<Requirement> requirements = [];

    public bool IsEmpty => requirements.Count == 0;

    /// <exception cref="StatusException">400: the text is no label selector.</exception>
    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        for (var at = 0; at < (text?.Length ?? 0);)
        {
            var match = Grammar().Match(text!, at);
            if (!match.Success || match.Length == 0)
                throw StatusException.BadRequest($"unable to parse requirement: found '{text![at..]}'");
            selector.requirements.Add(Read(match));
            at += match.Length;
        }
        return selector;
    }

    public bool Matches(KeyValuePair<string, string>[] labels)
    {
        foreach (var (key, exactly, holds) in requirements)
        {
            string? value = null;
            foreach (var label in labels)
            {
                if (label.Key == key)
                    value = label.Value;
            }
            if (exactly is null ? !holds(value) : value != exactly)
                return false;
        }
        return true;
    }

    private static Requirement Read(Match match)
    {
        var key = match.Groups["key"].Value;
        if (!Names.IsQualifiedName(key))
            throw StatusException.BadRequest($"unable to parse requirement: <nil>: Invalid value: \"{key}\": name part must consist of alphanumeric characters");
        var values = match.Groups["set"].Success
            ? match.Groups["set"].Value.Split(',').Select(v => v.Trim()).ToHashSet()
            : [match.Groups["value"].Value];
        if (values.FirstOrDefault(v => !Names.IsLabelValue(v)) is { } bad)
            throw StatusException.BadRequest($"unable to parse requirement: values[0][{key}]: Invalid value: \"{bad}\": a valid label must be an empty string or consist of alphanumeric characters");
        return match.Groups["op"].Value switch
        {
            "" when match.Groups["not"].Success => new(key, null, v => v is null),
            "" => new(key, null, v => v is not null),
            "=" or "==" or "in" when values.Count == 1 => new(key, values.Single(), _ => false),
            "in" => new(key, null, v => v is not null && values.Contains(v)),
            "!=" or "notin" => new(key, null, v => v is null || !values.Contains(v)),
            var compare when long.TryParse(values.Single(), out var bound) =>
                new(key, null, v => long.TryParse(v, out var n) && (compare == ">" ? n > bound : n < bound)),
            _ => throw StatusException.BadRequest("unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"),
        };
    }

    [GeneratedRegex(@"\G\s*(?:(?<not>!)\s*(?<key>[\w./-]+)|(?<key>[\w./-]+)(?:\s*(?<op>==|=|!=|>|<)\s*(?<value>[\w.-]*)|\s+(?<op>in|notin)\s*\((?<set>[^()]*)\))?)\s*(?:,(?=\s*\S)|\z)")]
    private static partial Regex Grammar();

    /// <param name="Exactly">The only value that will do, which is what nearly every list asks for of each object.</param>
    /// <param name="Holds">Whether a value will do otherwise; null: the object has no such label.</param>
    private readonly record struct Requirement(string Key, string? Exactly, Predicate<string?> Holds);
}
