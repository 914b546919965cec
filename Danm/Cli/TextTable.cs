using System.Text;

namespace Danm.Cli;

/// <summary>A table as kubectl prints it: a header in capitals, columns three spaces apart, nothing else.</summary>
internal sealed class TextTable(params string[] header)
{
    private const int Gap = 3;

    private readonly List<(TextColour Colour, string[] Cells)> rows = [(TextColour.None, header)];

    public void Add(params string[] cells) => Add(TextColour.None, cells);

    public void Add(TextColour colour, string[] cells) => rows.Add((colour, cells));

    /// <summary>Writes it at once: line by line, a million of a long list would be a million system calls.</summary>
    public void WriteTo(TextWriter output, bool withHeader = true)
    {
        var widths = header.Select((_, column) => rows.Max(r => r.Cells[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var (colour, cells) in rows.Skip(withHeader ? 0 : 1))
        {
            if (colour != TextColour.None)
                text.Append($"\u001b[{(int)colour}m");
            for (var column = 0; column < cells.Length; column++)
                text.Append(cells[column]).Append(' ', widths[column] - cells[column].Length + Gap);
            while (text.Length > 0 && text[^1] == ' ')
                text.Length--;
            text.Append(colour != TextColour.None ? "\u001b[0m" : "").Append(output.NewLine);
        }

        output.Write(text);
    }
}

/// <summary>Colours of ECMA-48, by their numbers there.</summary>
internal enum TextColour
{
    /// <summary>As the terminal has it.</summary>
    None = 0,

    /// <summary>Something is wrong.</summary>
    Red = 31,

    /// <summary>Something will be.</summary>
    Yellow = 33,
}
