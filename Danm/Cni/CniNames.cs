using System.Buffers;

namespace Danm.Cni;

/// <summary>The grammars of the names that CNI and Kubernetes hand us; each is a program's input that runs as root.</summary>
internal static class CniNames
{
    /// <summary>Longest name of a network and id of a container, in characters: both become part of file names.</summary>
    public const int MaxNameLength = 200;


    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

    /// <summary>
    /// The specification's grammar of network names and container ids: a letter or digit, then letters, digits, <c>_</c>,
    /// <c>.</c> and <c>-</c>.
    /// </summary>
    public static bool IsName(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxNameLength && char.IsAsciiLetterOrDigit(text[0]) && !text.ContainsAnyExcept(NameCharacters);

    /// <summary>
    /// The kernel's grammar of interface names (dev_valid_name), and the specification's: 1 to 15 bytes without <c>/</c>,
    /// <c>:</c> and white space, not <c>.</c> or <c>..</c>. Control characters are refused besides.
    /// </summary>
    public static bool IsInterfaceName(ReadOnlySpan<char> text)
    {
        // The kernel's rules, and what sysctls and netlink add to them, are one grammar for the whole program.
        return !text.Contains(':') && Netlink.InterfaceName.IsValid(text);
    }

    /// <summary>
    /// A DNS-1123 subdomain, the grammar of Pod, namespace and Node names: labels of 1 to 63 lower-case letters, digits and
    /// inner <c>-</c>, at most 253 characters in all.
    /// </summary>
    public static bool IsDnsSubdomain(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 253)
            return false;
        var labelLength = 0;
        var last = '.';
        foreach (var c in text)
        {
            if (c == '.')
            {
                if (last is '.' or '-')
                    return false;
                labelLength = 0;
            }
            else if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && (c != '-' || last == '.'))
            {
                return false;
            }
            else if (++labelLength > 63)
            {
                return false;
            }

            last = c;
        }

        return last is not ('.' or '-');
    }

    /// <summary>A Pod's UID: 1 to 64 letters, digits and <c>-</c> (static Pods have a hash instead of a UUID).</summary>
    public static bool IsUid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 64)
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
                return false;
        }

        return true;
    }

    /// <summary>An absolute path of at most 4095 bytes without control characters.</summary>
    public static bool IsAbsolutePath(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty || text[0] != '/' || text.Length > 4095)
            return false;
        foreach (var c in text)
        {
            if (char.IsControl(c))
                return false;
        }

        return true;
    }
}
