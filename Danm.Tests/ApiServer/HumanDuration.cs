namespace Danm.Tests.ApiServer;

/// <summary>Ages as kubectl shows them: at most two units, coarser the older.</summary>
public static class HumanDuration
{
    public static string Format(TimeSpan age)
    {
        var seconds = (long)age.TotalSeconds;
        return seconds switch
        {
            < -1 => "<invalid>",
            < 0 => "0s",
            < 120 => $"{seconds}s",
            < 600 => Two(seconds / 60, "m", seconds % 60, "s"),
            < 3 * 3600 => $"{seconds / 60}m",
            < 8 * 3600 => Two(seconds / 3600, "h", seconds / 60 % 60, "m"),
            < 48 * 3600 => $"{seconds / 3600}h",
            < 8 * 86400 => Two(seconds / 86400, "d", seconds / 3600 % 24, "h"),
            < 2 * 365 * 86400 => $"{seconds / 86400}d",
            < 8L * 365 * 86400 => Two(seconds / (365 * 86400), "y", seconds / 86400 % 365, "d"),
            _ => $"{seconds / (365 * 86400)}y",
        };

        static string Two(long first, string firstUnit, long second, string secondUnit) =>
            second == 0 ? $"{first}{firstUnit}" : $"{first}{firstUnit}{second}{secondUnit}";
    }
}
