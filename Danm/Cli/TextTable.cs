using System.Text;

namespace Danm.Cli;

/// <summary>A table as kubectl prints it: a header in capitals, columns three spaces apart, nothing else.</summary>
internal sealed class TextTable(params string[] header)
{
    private const int Gap = 3;

    private readonly List<string[]> rows = [header];

    public void Add(params string[] cells) => rows.Add(cells);

    /// <summary>Writes it at once: a terminal or a pipe gets a line of its own else, a million of them from a long list.</summary>
    public void WriteTo(TextWriter output, bool withHeader = true)
    {
        var widths = header.Select((_, column) => rows.Max(r => r[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows.Skip(withHeader ? 0 : 1))
        {
            for (var column = 0; column < row.Length; column++)
                text.Append(row[column]).Append(' ', widths[column] - row[column].Length + Gap);
            while (text.Length > 0 && text[^1] == ' ')
                text.Length--;
            text.Append(output.NewLine);
        }

        output.Write(text);
    }
}
