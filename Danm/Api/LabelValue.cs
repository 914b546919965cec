using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Danm.Api;

/// <summary>Texts as Kubernetes label values, which have at most 63 characters of <c>[A-Za-z0-9._-]</c>.</summary>
public static class LabelValue
{
    private const int MaxLength = 63;
    private const string HashPrefix = "sha256-";

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    /// <summary>
    /// The text itself if it is a legal value, else <c>sha256-</c> and the first 224 bits of its hash in hex. Texts that
    /// look like that form are hashed too, so different texts never share a value.
    /// </summary>
    public static string For(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsLegal(text) && !(text.Length == MaxLength && text.StartsWith(HashPrefix, StringComparison.Ordinal))
            ? text
            : HashPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 28));
    }

    /// <summary>Whether the API server takes the text as a label value; the empty one it does.</summary>
    public static bool IsLegal(ReadOnlySpan<char> text) =>
        text.Length == 0
        || (text.Length <= MaxLength && !text.ContainsAnyExcept(Allowed)
            && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]));
}
