using System.Globalization;
using System.Net;
using System.Text;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>Bars on a logarithmic scale, as an SVG image that reads on light and dark pages.</summary>
internal static class Plot
{
    private const int Left = 330;
    private const int Wide = 480;
    private const int Row = 30;
    private const int Top = 52;

    public static string Bars(string title, IReadOnlyList<(string Name, double Value)> bars)
    {
        var lowest = Math.Floor(Math.Log10(bars.Min(b => Math.Max(b.Value, 0.1))));
        var highest = Math.Ceiling(Math.Log10(bars.Max(b => b.Value)));
        var (width, height) = (Left + Wide + 80, Top + (bars.Count * Row) + 34);
        var svg = new StringBuilder();
        Line(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">""");
        Line(svg, $"""<rect width="{width}" height="{height}" fill="#ffffff"/>""");
        Line(svg, $"""<text x="16" y="26" font-size="16" fill="#1a1a1a">{WebUtility.HtmlEncode(title)}</text>""");
        for (var power = lowest; power <= highest; power++)
        {
            var x = X(Math.Pow(10, power));
            Line(svg, $"""<line x1="{x:0}" y1="{Top - 8}" x2="{x:0}" y2="{height - 30}" stroke="#d0d0d0"/>""");
            Line(svg, $"""<text x="{x:0}" y="{height - 14}" text-anchor="middle" fill="#606060">{Math.Pow(10, power):#,0.##}</text>""");
        }

        foreach (var (i, (name, value)) in bars.Index())
        {
            var y = Top + (i * Row);
            Line(svg, $"""<text x="{Left - 10}" y="{y + 14}" text-anchor="end" fill="#1a1a1a">{WebUtility.HtmlEncode(name)}</text>""");
            Line(svg, $"""<rect x="{Left}" y="{y}" width="{Math.Max(1, X(value) - Left):0}" height="20" fill="{(i < 2 ? "#1f6fb2" : "#9aa5b1")}"/>""");
            Line(svg, $"""<text x="{X(value) + 6:0}" y="{y + 14}" fill="#1a1a1a">{value:#,0.#}</text>""");
        }

        return svg.AppendLine("</svg>").ToString();

        double X(double value) => Left + (Wide * Math.Clamp((Math.Log10(Math.Max(value, 0.01)) - lowest) / (highest - lowest), 0, 1));
    }

    private static void Line(StringBuilder svg, FormattableString text) => svg.AppendLine(text.ToString(CultureInfo.InvariantCulture));
}
