using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Danm.Cli;

/// <summary>What <c>-o</c> chooses between.</summary>
internal static class OutputFormat
{
    /// <summary>Writes in the format that was asked for.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="format">What <c>-o</c> says; everything but json, yaml and name is a form of table.</param>
    /// <param name="json">Writes the document, which YAML is made of too.</param>
    /// <param name="table">Writes the table, for people.</param>
    /// <param name="names">What <c>name</c> lists, for scripts; null where there is no such format.</param>
    public static void Write(TextWriter output, string format, Action<Utf8JsonWriter> json, Action table, Func<IEnumerable<string>>? names = null)
    {
        switch (format)
        {
            case "json":
                output.WriteLine(Encoding.UTF8.GetString(Document(json)));
                break;
            case "yaml":
                output.Write(YamlText.Of(Document(json)));
                break;
            case "name" when names is not null:
                foreach (var name in names())
                    output.WriteLine(name);
                break;
            default:
                table();
                break;
        }
    }

    private static ReadOnlySpan<byte> Document(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
            write(json);
        return buffer.WrittenSpan;
    }
}
