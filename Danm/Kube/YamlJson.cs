using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Danm.Kube;

/// <summary>
/// YAML as JSON, as far as kubeconfigs and an object's metadata go: numbers stay texts. It is read event by event rather than into a tree, and has no aliases, so that a file
/// of a few lines can neither grow to gigabytes nor be nested until the stack ends.
/// </summary>
internal static class YamlJson
{
    private const int MaxDepth = 64;

    /// <summary>The first document; an empty object if there is none.</summary>
    /// <exception cref="YamlException">This is no YAML.</exception>
    /// <exception cref="FormatException">It has what neither a kubeconfig nor an object has.</exception>
    public static byte[] ToJson(string yaml)
    {
        using var text = new StringReader(yaml);
        var parser = new Parser(text);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            parser.Consume<StreamStart>();
            if (parser.TryConsume<DocumentStart>(out _))
            {
                WriteValue(parser, writer);
            }
            else
            {
                writer.WriteStartObject();
                writer.WriteEndObject();
            }
        }

        return buffer.ToArray();
    }

    /// <summary>Every document of a file of manifests.</summary>
    /// <exception cref="YamlException">This is no YAML.</exception>
    /// <exception cref="FormatException">It has what no object has.</exception>
    public static List<byte[]> AllToJson(string yaml)
    {
        using var text = new StringReader(yaml);
        var parser = new Parser(text);
        var documents = new List<byte[]>();
        parser.Consume<StreamStart>();
        while (parser.TryConsume<DocumentStart>(out _))
        {
            using var buffer = new MemoryStream();
            using (var writer = new Utf8JsonWriter(buffer))
                WriteValue(parser, writer);
            documents.Add(buffer.ToArray());
            parser.Consume<DocumentEnd>();
        }

        return documents;
    }

    private static void WriteValue(Parser parser, Utf8JsonWriter writer)
    {
        if (writer.CurrentDepth > MaxDepth)
            throw new FormatException($"nested deeper than {MaxDepth} levels");
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            WriteScalar(writer, scalar);
        }
        else if (parser.TryConsume<MappingStart>(out _))
        {
            writer.WriteStartObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                writer.WritePropertyName(parser.Consume<Scalar>().Value);
                WriteValue(parser, writer);
            }

            writer.WriteEndObject();
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            writer.WriteStartArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
                WriteValue(parser, writer);
            writer.WriteEndArray();
        }
        else if (parser.TryConsume<AnchorAlias>(out var alias))
        {
            throw new FormatException($"line {alias.Start.Line} has the alias *{alias.Value}: write out what it stands for");
        }
        else
        {
            throw new FormatException($"line {parser.Current?.Start.Line} is neither a mapping, a list nor a value");
        }
    }

    private static void WriteScalar(Utf8JsonWriter writer, Scalar scalar)
    {
        switch (scalar)
        {
            case { Style: ScalarStyle.Plain, Value: "true" or "false" }:
                writer.WriteBooleanValue(scalar.Value == "true");
                break;
            case { Style: ScalarStyle.Plain, Value: "" or "~" or "null" }:
                writer.WriteNullValue();
                break;
            default:
                writer.WriteStringValue(scalar.Value);
                break;
        }
    }
}
