using System.Text;

namespace Danm.Cni;

/// <summary>
/// Foreign text on its way into an error or a log: bounded, and with control characters (ESC would steer an operator's
/// terminal, a line feed would forge a log line) and lone surrogates spelled out.
/// </summary>
public static class CniText
{
    private const int MaxQuoted = 128;

    /// <summary>The value in single quotes, cut after 128 characters, for the middle of a message.</summary>
    public static string Quote(string? value) => value is null ? "null" : $"'{Clean(value, MaxQuoted)}'";

    /// <summary>The text without control characters and at most <paramref name="maxLength"/> characters long before they are spelled out.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">Where to cut, in UTF-16 units; a cut text ends in an ellipsis.</param>
    /// <param name="keepLineFeeds">Whether lines may stay lines, as in a message of several failures.</param>
    public static string Clean(string text, int maxLength, bool keepLineFeeds = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        var firstBad = FirstBad(text, keepLineFeeds);
        if (firstBad < 0 && text.Length <= maxLength)
            return text;

        var clean = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (i >= maxLength)
                return clean.Append('…').ToString();
            var c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                clean.Append(c).Append(text[++i]);
            else if (IsBad(c, keepLineFeeds))
                clean.Append("\\u").Append(((int)c).ToString("x4"));
            else
                clean.Append(c);
        }

        return clean.ToString();
    }

    private static int FirstBad(string text, bool keepLineFeeds)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (IsBad(text[i], keepLineFeeds))
                return i;
        }

        return -1;
    }

    // U+2028, U+2029 and the bidirectional controls reorder or break a line just as well.
    private static bool IsBad(char c, bool keepLineFeeds) =>
        char.IsControl(c) ? !(keepLineFeeds && c == '\n') : char.IsSurrogate(c) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
