using System.Globalization;
using System.Text;
using Danm.Ipam.Usage;

namespace Danm.Cli.Ipam;

/// <summary>A pool as a picture of characters: a cell for a part of it, the fuller the darker.</summary>
internal static class UsageMap
{
    private const int Columns = 64;

    private static readonly string[] Blocks = ["·", "░", "▒", "▓", "█"];
    private static readonly string[] Ascii = [".", "-", "+", "x", "#"];

    public static void WriteTo(TextWriter output, PoolUsage usage)
    {
        var shades = output.Encoding.CodePage == Encoding.UTF8.CodePage ? Blocks : Ascii;
        var label = usage.Pool.At(0).ToString().Length;
        for (var row = 0; row < usage.Cells; row += Columns)
            label = Math.Max(label, usage.Pool.At(usage.CellSize * (UInt128)row).ToString().Length);
        for (var row = 0; row < usage.Cells; row += Columns)
        {
            var line = new StringBuilder("  ").Append(usage.Pool.At(usage.CellSize * (UInt128)row).ToString().PadRight(label)).Append("  ");
            for (var cell = row; cell < Math.Min(row + Columns, usage.Cells); cell++)
                line.Append(usage.IsReserved(cell) ? "r" : shades[Shade(usage.ShareOf(cell))]);
            output.WriteLine(line);
        }

        output.WriteLine(usage.CellSize == 1
            ? $"  each character an address: {shades[0]} free, {shades[^1]} used, r reserved"
            : $"  each character {Count(usage.CellSize, "N0")} addresses: {shades[0]} free, {shades[1]} below a third used, {shades[2]} below two thirds, {shades[3]} more, {shades[^1]} full");
    }

    /// <summary>Beyond a million million people count in powers of two.</summary>
    public static string Count(UInt128 count, string format = "D") => count < 1_000_000_000_000 ? count.ToString(format, CultureInfo.InvariantCulture) : FormattableString.Invariant($"2^{Math.Log2((double)count):0.#}");

    // A cell that is not quite empty, or not quite full, shows it.
    private static int Shade(double share) => share switch
    {
        <= 0 => 0,
        >= 1 => 4,
        < 1.0 / 3 => 1,
        < 2.0 / 3 => 2,
        _ => 3,
    };
}
