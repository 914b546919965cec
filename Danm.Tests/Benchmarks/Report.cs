using System.Text;

namespace Danm.Tests.Benchmarks;

/// <summary>Puts figures into a table that is read as it is and is Markdown too.</summary>
internal static class Report
{
    public static string Markdown(IReadOnlyList<Series> all, double size, double maxSize, int warmUps, int runs)
    {
        var rows = new List<string[]> { new[] { "whole process", "CPU ms", "aim", "peak MB", "aim", "wall ms", "" } };
        foreach (var s in all)
            rows.Add([s.Name, $"{s.Cpu}", Aim(s.CpuAim), $"{s.Peak}", Aim(s.PeakAim), $"{s.Wall}", s.CpuAim is null && s.PeakAim is null ? "" : s.MeetsAims ? "met" : "missed"]);
        return Table(rows) + FormattableString.Invariant(
            $"\nMedians (least to most) of {runs} runs after {warmUps} warm-ups, interleaved. Executable {size:0.0} MB, aim {maxSize:0} MB. {Machine()}\n");
    }

    /// <summary>The first row is the heading.</summary>
    public static string Table(IReadOnlyList<string[]> rows)
    {
        var text = new StringBuilder();
        var widths = Enumerable.Range(0, rows[0].Length).Select(i => Math.Max(3, rows.Max(r => r[i].Length))).ToArray();
        for (var i = 0; i < rows.Count; i++)
        {
            text.Append("| ").AppendJoin(" | ", rows[i].Select((cell, c) => cell.PadRight(widths[c]))).AppendLine(" |");
            if (i == 0)
                text.Append("|-").AppendJoin("-|-", widths.Select(w => new string('-', w))).AppendLine("-|");
        }

        return text.ToString();
    }

    private static string Aim(double? aim) => aim is { } a ? FormattableString.Invariant($"≤ {a:0}") : "";

    /// <summary>Where the figures are from.</summary>
    public static string Machine()
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim();
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        return $"{Environment.ProcessorCount} cores of {processor ?? "an unnamed processor"}, Linux {kernel}, .NET {Environment.Version}.";
    }
}
