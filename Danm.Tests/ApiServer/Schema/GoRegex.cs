using System.Text;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// Go's RE2 syntax on .NET's engine: <c>$</c> does not match before a last line feed, <c>\d \w \s</c> are ASCII.
/// Look-arounds and back references, which RE2 lacks, are refused by the non-backtracking engine itself.
/// </summary>
public static class GoRegex
{
    public static Regex Compile(string pattern) => new(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private static string Translate(string pattern)
    {
        var result = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                var escaped = pattern[++i];
                var set = escaped switch { 'd' => "0-9", 'w' => "0-9A-Za-z_", 's' => "\\t\\n\\f\\r ", _ => null };
                if (escaped is 'D' or 'W' or 'S' && inClass || escaped is 'p' or 'P' or 'Q' or 'C' || char.IsDigit(escaped))
                    throw new NotSupportedException($"\\{escaped} is not supported here");
                result.Append(escaped switch
                {
                    'D' => "[^0-9]",
                    'W' => "[^0-9A-Za-z_]",
                    'S' => "[^\\t\\n\\f\\r ]",
                    _ when set is not null => inClass ? set : $"[{set}]",
                    _ => $"\\{escaped}",
                });
            }
            else if (inClass)
            {
                if (c == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':')
                    throw new NotSupportedException("POSIX classes are not supported here");
                inClass = c != ']' || pattern[i - 1] == '[' || (pattern[i - 1] == '^' && pattern[i - 2] == '[');
                result.Append(c == '[' ? "\\[" : c.ToString());
            }
            else if (c == '$')
            {
                result.Append("\\z");
            }
            else if (c == '(' && pattern.AsSpan(i).StartsWith("(?P<"))
            {
                result.Append("(?<");
                i += 3;
            }
            else
            {
                inClass = c == '[';
                result.Append(c);
            }
        }
        return result.ToString();
    }
}
