namespace Danm.Networks;

/// <summary>What texts from objects must look like before they become file, program, interface or object names.</summary>
public static class Names
{
    /// <summary>IFNAMSIZ without the closing zero, in bytes (linux/if.h).</summary>
    public const int MaxInterfaceLength = 15;

    /// <summary>
    /// Whether the text is <c>[A-Za-z0-9][A-Za-z0-9._-]*</c> without <c>..</c>, so that it can be part of a path, an
    /// interface's name or a command's without leading anywhere else.
    /// </summary>
    /// <param name="text">Untrusted text.</param>
    /// <param name="maxLength">In characters, which are bytes too, since only ASCII passes.</param>
    /// <param name="allowSlash">Device pools are spelled <c>vendor.io/resource</c>.</param>
    public static bool IsPlain(ReadOnlySpan<char> text, int maxLength, bool allowSlash = false)
    {
        if (text.Length == 0 || text.Length > maxLength || !char.IsAsciiLetterOrDigit(text[0]))
            return false;
        for (var i = 1; i < text.Length; i++)
        {
            var character = text[i];
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('.' or '_' or '-') && !(allowSlash && character == '/'))
                return false;
            if (character == '.' && text[i - 1] == '.')
                return false;
        }

        return true;
    }

    /// <summary>Whether the text can be the name of a Kubernetes object: an RFC 1123 subdomain of at most 253 characters.</summary>
    public static bool IsSubdomain(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 253)
            return false;
        var previous = '.';
        foreach (var character in text)
        {
            var inner = char.IsAsciiDigit(character) || char.IsAsciiLetterLower(character);
            // A dot or a dash at the edge of a label is what is left to refuse.
            if (!inner && (character is not ('.' or '-') || previous == '.' || (character == '.' && previous == '-')))
                return false;
            previous = character;
        }

        return previous is not ('.' or '-');
    }

    internal const string InterfaceRule =
        "is no interface name: at most 15 characters, letters, digits, '.', '_', '-', a letter or digit first, no '..'";
}
