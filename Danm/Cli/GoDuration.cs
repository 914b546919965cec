using System.CommandLine;
using System.Globalization;

namespace Danm.Cli;

/// <summary>Times as Go's <c>time.ParseDuration</c> reads them: <c>10m</c>, <c>1h30m</c>, <c>1.5s</c>, <c>500ms</c>.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 0.001), ("h", 3600), ("m", 60), ("s", 1)];

    /// <summary>Reads one; false if it is none, is negative, or is longer than a century.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        if (string.IsNullOrEmpty(text))
            return false;
        var seconds = 0.0;
        for (var rest = text.AsSpan(); !rest.IsEmpty && text is not "0";)
        {
            var length = rest.IndexOfAnyExcept("0123456789.");
            if (length <= 0 || !double.TryParse(rest[..length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return false;
            rest = rest[length..];
            var unit = UnitAt(rest);
            if (unit.Unit is null)
                return false;
            seconds += number * unit.Seconds;
            rest = rest[unit.Unit.Length..];
        }

        if (seconds > TimeSpan.FromDays(36525).TotalSeconds)
            return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>A flag that takes one.</summary>
    public static Option<string> Option(string name, string description, string otherwise)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "DURATION", DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (!TryParse(result.GetValueOrDefault<string>(), out _))
                result.AddError($"{name}: '{result.GetValueOrDefault<string>()}' is no duration such as 30s, 10m or 1h30m");
        });
        return option;
    }

    /// <summary>The value of such a flag.</summary>
    public static TimeSpan Get(this ParseResult parsed, Option<string> option) => TryParse(parsed.GetRequiredValue(option), out var duration) ? duration : default;

    private static (string? Unit, double Seconds) UnitAt(ReadOnlySpan<char> text)
    {
        foreach (var unit in Units)
        {
            if (text.StartsWith(unit.Unit, StringComparison.Ordinal))
                return unit;
        }

        return default;
    }
}
