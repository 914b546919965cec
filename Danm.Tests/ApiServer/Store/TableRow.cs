using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Store;

/// <summary>
/// The cells of one object's row as JSON text. It is made once for each version of the object; only ages are written anew each time.
/// </summary>
public sealed class TableRow
{
    private readonly byte[] text;

    // Where in the text an age belongs, and since when it counts.
    private readonly (int Place, DateTimeOffset Since)[] ages;

    public TableRow(JsonObject body, Column[] columns)
    {
        var written = new ArrayBufferWriter<byte>(256);
        var places = new List<(int, DateTimeOffset)>(1);
        using (var writer = new Utf8JsonWriter(written, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 512 }))
        {
            writer.WriteStartArray();
            foreach (var column in columns)
            {
                var cell = column.Cell(body);
                if (cell is null)
                {
                    writer.WriteNullValue();
                }
                else if (!column.IsAge)
                {
                    cell.WriteTo(writer, Json.Relaxed);
                }
                else if (DateTimeOffset.TryParse(cell.String(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since))
                {
                    writer.WriteStringValue(""u8);
                    writer.Flush();
                    places.Add((written.WrittenCount - 1, since));
                }
                else
                {
                    writer.WriteStringValue("<invalid>"u8);
                }
            }
            writer.WriteEndArray();
        }
        (text, ages) = (written.WrittenSpan.ToArray(), [.. places]);
    }

    public void Write(IBufferWriter<byte> output, AgeText age)
    {
        var at = 0;
        foreach (var (place, since) in ages)
        {
            output.Write(text.AsSpan(at..place));
            output.Write(age.Since(since));
            at = place;
        }
        output.Write(text.AsSpan(at));
    }
}
