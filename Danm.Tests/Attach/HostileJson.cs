using System.Text;
using System.Text.Json;
using CsCheck;

namespace Danm.Tests.Attach;

/// <summary>
/// Documents that somebody has made worse: out of a valid one, with a value of another type, size or depth in the place of one of its
/// own, with bytes changed, cut off, or repeated.
/// </summary>
internal static class HostileJson
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1.5", "1e400", "-0", "4294967296", "123456789012345678901234567890", "\"\"", "\" \"", "{}", "[]", "[null]", "[[]]", "{\"a\":null}",
        "\"\\u0000\"", "\"\\u001b[31mred\\u001b]0;title\\u0007\"", "\"line\\nline\\r\"", "\"\\ud800\"", "\"\\u202egnp\"", "\"../../etc/passwd\"", "\"/etc/shadow\"", "\"a/b\"",
        "\"..\"", "\"eth0\"", "\"lo\"", "\"ipvlan\"", "\"macvlan\"", "\"sriov\"", "\"bridge\"", "\"good\"", "\"link\"", "\"pipe\"", "\"folder\"", "\"none\"", "\"dynamic\"",
        "\"10.0.0.5\"", "\"10.0.0.0/0\"", "\"0.0.0.0/32\"", "\"255.255.255.255/32\"", "\"fd00::/64\"", "\"::/0\"", "\"::ffff:10.0.0.1/120\"", "\"fe80::1%eth0\"", "\"10.0.0.5/24/24\"",
        "\"0010.0.0.5\"", "\"0.4.0\"", "\"9.9.9\"", "\"\u00e9\ud83d\ude00\"",
        $"\"{new string('x', 5000)}\"", $"\"{new string('\u00e9', 100_000)}\"", new string('[', 5000) + new string(']', 5000), new string('[', 60) + new string(']', 60),
        string.Concat(Enumerable.Repeat("{\"a\":", 2000)) + "1" + new string('}', 2000), $"[{string.Join(',', Enumerable.Repeat("1", 50_000))}]",
        $"[{string.Join(',', Enumerable.Repeat("{}", 5000))}]", $"{{{string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"k{i}\":\"v\""))}}}",
        "\u0000", "nul", "\"", "}", "{\"a\":1,}", "/**/1", "\u001b[2J",
    ];

    public static Gen<string> Of(params string[] valid) => Gen.OneOf(valid.Select(One).ToArray());

    private static Gen<string> One(string valid)
    {
        var places = Places(valid);
        return Gen.OneOf(
            Replaced(valid, places),
            // Two values: what is read first may excuse what is read later.
            Replaced(valid, places).SelectMany(once => TryPlaces(once) is { Count: > 0 } left ? Replaced(once, left) : Gen.Const(once)),
            Gen.Int[0, valid.Length].Select(length => valid[..length]),
            Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Char).Select((at, c) => string.Concat(valid.AsSpan(0, at), [c], valid.AsSpan(at + 1))),
            Gen.Int[0, places.Count - 1].Select(i => $"{valid[..places[i].Start]}{valid[places[i].Start..places[i].End]}{valid[places[i].Start..]}"),
            Gen.String);
    }

    private static Gen<string> Replaced(string valid, IReadOnlyList<(int Start, int End)> places) =>
        Gen.Select(Gen.Int[0, places.Count - 1], Gen.Int[0, Values.Length - 1]).Select((i, v) => $"{valid[..places[i].Start]}{Values[v]}{valid[places[i].End..]}");

    private static List<(int Start, int End)> TryPlaces(string text)
    {
        try
        {
            return Places(text);
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>Where the values are that the document is made of, itself and its members' names among them.</summary>
    private static List<(int Start, int End)> Places(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 64 });
        var places = new List<(int, int)>();
        var open = new Stack<int>();
        while (reader.Read())
        {
            var (start, end) = ((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                open.Push(start);
            else
                places.Add((Index(reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray ? open.Pop() : start), Index(reader.TokenType == JsonTokenType.PropertyName ? end - 1 : end)));
        }

        return places;

        int Index(int offset) => Encoding.UTF8.GetCharCount(bytes, 0, offset);
    }
}
