using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>The string formats that apiextensions checks. Unknown ones are annotations, as on a real server.</summary>
public static class Formats
{
    private static readonly HashSet<string> NotBuilt =
        ["bsonobjectid", "uri", "email", "isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "uuid3", "uuid4", "uuid5"];

    private static readonly Regex Hostname = GoRegex.Compile(@"^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)*[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$");
    private static readonly Regex Mac = GoRegex.Compile("^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$");
    private static readonly Regex Duration = GoRegex.Compile(@"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))*$");

    public static string? Known(string? format, string path) => format is not null && NotBuilt.Contains(format)
        ? throw StatusException.NotImplemented($"{path}.format: {format}")
        : format;

    public static bool Matches(string format, string text) => format switch
    {
        "ipv4" => IsIPv4(text),
        "ipv6" => IsIPv6(text),
        "cidr" => IsCidr(text),
        "mac" => Mac.IsMatch(text),
        "hostname" => text.Length <= 255 && Hostname.IsMatch(text),
        "uuid" => Guid.TryParseExact(text, "D", out _),
        "byte" => text.Length > 0 && Convert.TryFromBase64String(text, new byte[text.Length], out _),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "date-time" or "datetime" => text.Length >= 20 && text[10] is 'T' or 't'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "duration" => Duration.IsMatch(text),
        _ => true,
    };

    private static bool IsIPv4(string text)
    {
        var parts = text.Split('.');
        return parts.Length == 4 && parts.All(p => p.Length is > 0 and <= 3 && p.All(char.IsAsciiDigit) && int.Parse(p) <= 255 && (p.Length == 1 || p[0] != '0'));
    }

    private static bool IsIPv6(string text) => text.Contains(':') && text.AsSpan().IndexOfAny("%[]/") < 0
        && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    private static bool IsCidr(string text)
    {
        var slash = text.IndexOf('/');
        return slash > 0 && text.AsSpan(slash + 1) is { Length: > 0 and <= 3 } length && length.IndexOfAnyExceptInRange('0', '9') < 0
            && int.Parse(length) is var bits && text[..slash] is var address
            && (IsIPv4(address) && bits <= 32 || IsIPv6(address) && bits <= 128);
    }
}
