using System.CommandLine;
using System.Globalization;
using System.Text;

namespace Danm.Cli;

/// <summary>
/// A duration as Go's <c>time.ParseDuration</c> reads it, and so every flag of Kubernetes: <c>10m</c>, <c>1h30m</c>, <c>1.5s</c>, <c>300ms</c>.
/// Zero may stand without a unit; none of our flags takes a negative one.
/// </summary>
/// <param name="Time">How long.</param>
internal readonly record struct GoDuration(TimeSpan Time)
{
    // Go's nanoseconds have 63 bits, ours are hundreds.
    private const decimal Longest = long.MaxValue / 100;

    private static readonly (string Unit, decimal Ticks)[] Units =
    [
        ("ns", 0.01m), ("us", TimeSpan.TicksPerMicrosecond), ("\u00b5s", TimeSpan.TicksPerMicrosecond), ("\u03bcs", TimeSpan.TicksPerMicrosecond),
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour),
    ];

    /// <summary>A flag with such a value.</summary>
    public static Option<GoDuration> Option(string name, string description, TimeSpan otherwise) => new(name)
    {
        Description = description,
        HelpName = "DURATION",
        DefaultValueFactory = _ => new GoDuration(otherwise),
        CustomParser = result =>
        {
            if (TryParse(result.Tokens[0].Value, out var value))
                return value;
            result.AddError($"{name}: '{result.Tokens[0].Value}' is no duration, as 10m or 1m30s are");
            return default;
        },
    };

    /// <summary>Reads one.</summary>
    /// <returns>False if it is none, or longer than Go's longest, 292 years.</returns>
    public static bool TryParse(string text, out GoDuration duration)
    {
        ArgumentNullException.ThrowIfNull(text);
        duration = default;
        if (text == "0")
            return true;
        var rest = text.AsSpan();
        var ticks = 0m;
        while (!rest.IsEmpty)
        {
            var length = rest.IndexOfAnyExcept("0123456789.");
            if (length < 0 || !decimal.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > Longest)
                return false;
            rest = rest[length..];
            if (UnitAt(rest) is not var (unit, size))
                return false;
            rest = rest[unit.Length..];
            ticks += number * size;
            // Before the next part: many of the longest are more than a decimal has room for.
            if (ticks > Longest)
                return false;
        }

        if (text.Length == 0)
            return false;
        duration = new GoDuration(new TimeSpan((long)ticks));
        return true;
    }

    /// <summary>As a person writes it: no part that is zero.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        if (Time.TotalHours >= 1)
            text.Append(CultureInfo.InvariantCulture, $"{(long)Time.TotalHours}h");
        if (Time.Minutes > 0)
            text.Append(CultureInfo.InvariantCulture, $"{Time.Minutes}m");
        if (Time.Ticks % TimeSpan.TicksPerMinute is > 0 and var rest)
            text.Append(CultureInfo.InvariantCulture, $"{(decimal)rest / TimeSpan.TicksPerSecond}s");
        return text.Length == 0 ? "0s" : text.ToString();
    }

    // No unit begins with another one but m with ms, which comes first.
    private static (string Unit, decimal Ticks)? UnitAt(ReadOnlySpan<char> text)
    {
        foreach (var unit in Units)
        {
            if (text.StartsWith(unit.Unit, StringComparison.Ordinal))
                return unit;
        }

        return null;
    }
}
