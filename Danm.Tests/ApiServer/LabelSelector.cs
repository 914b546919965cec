using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer;

/// <summary>The label selector grammar: <c>k</c>, <c>!k</c>, <c>k=v</c>, <c>k!=v</c>, <c>k in (a,b)</c>, <c>k notin (a,b)</c>, <c>k&gt;1</c>, <c>k&lt;1</c>, joined by commas.</summary>
public sealed partial class LabelSelector
{
    private readonly List<Predicate<IReadOnlyDictionary<string, string>>> requirements = [];

    public bool IsEmpty => requirements.Count == 0;

    /// <exception cref="StatusException">400: the text is no label selector.</exception>
    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        for (var at = 0; at < (text?.Length ?? 0);)
        {
            var match = Requirement().Match(text!, at);
            if (!match.Success || match.Length == 0)
                throw StatusException.BadRequest($"unable to parse requirement: found '{text![at..]}'");
            selector.requirements.Add(Read(match));
            at += match.Length;
        }
        return selector;
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels) => requirements.TrueForAll(r => r(labels));

    private static Predicate<IReadOnlyDictionary<string, string>> Read(Match match)
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
            "" when match.Groups["not"].Success => l => !l.ContainsKey(key),
            "" => l => l.ContainsKey(key),
            "=" or "==" or "in" => l => l.TryGetValue(key, out var v) && values.Contains(v),
            "!=" or "notin" => l => !l.TryGetValue(key, out var v) || !values.Contains(v),
            var compare when long.TryParse(values.Single(), out var bound) => l =>
                l.TryGetValue(key, out var v) && long.TryParse(v, out var n) && (compare == ">" ? n > bound : n < bound),
            _ => throw StatusException.BadRequest("unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"),
        };
    }

    [GeneratedRegex(@"\G\s*(?:(?<not>!)\s*(?<key>[\w./-]+)|(?<key>[\w./-]+)(?:\s*(?<op>==|=|!=|>|<)\s*(?<value>[\w.-]*)|\s+(?<op>in|notin)\s*\((?<set>[^()]*)\))?)\s*(?:,(?=\s*\S)|\z)")]
    private static partial Regex Requirement();
}
