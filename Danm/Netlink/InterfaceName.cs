using System.Text;

namespace Danm.Netlink;

/// <summary>What the kernel takes for the name of an interface (<c>dev_valid_name</c>), less what we never want in one.</summary>
public static class InterfaceName
{
    /// <summary>The longest name in bytes: IFNAMSIZ without its NUL.</summary>
    public const int MaxLength = 15;

    /// <summary>
    /// Whether <paramref name="name"/> has 1 to 15 bytes, is neither <c>.</c> nor contains <c>..</c>, and has no slash, colon,
    /// percent sign (a name template), white space, control or non-ASCII character. Dots are legal: <c>net0.500</c>.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > MaxLength || name is "." || name.IndexOf("..") >= 0)
            return false;
        foreach (var c in name)
        {
            if (c is <= ' ' or >= '\x7f' or '/' or ':' or '%')
                return false;
        }

        return true;
    }

    internal static string Require(string name, string parameter) => IsValid(name)
        ? name
        : throw new ArgumentException($"\"{Printable(name)}\" is not the name of an interface", parameter);

    private static string Printable(string name)
    {
        var text = new StringBuilder(MaxLength + 3);
        foreach (var c in name)
        {
            if (text.Length > MaxLength)
                return text.Append("...").ToString();
            text.Append(char.IsControl(c) ? '?' : c);
        }

        return text.ToString();
    }
}
