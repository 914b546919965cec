namespace Danm.Cli;

/// <summary>A table as kubectl prints it: a header in capitals, columns three spaces apart, nothing else.</summary>
internal sealed class TextTable(params string[] header)
{
    private const int Gap = 3;

    private readonly List<string[]> rows = [header];

    public void Add(params string[] cells) => rows.Add(cells);

    public void WriteTo(TextWriter output, bool withHeader = true)
    {
        var widths = header.Select((_, column) => rows.Max(r => r[column].Length)).ToArray();
        foreach (var row in rows.Skip(withHeader ? 0 : 1))
            output.WriteLine(string.Concat(row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column] + Gap))).TrimEnd());
    }
}
