using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Danm.Cni;

/// <summary>Makes the documents for standard output: compact JSON in UTF-8, with a line feed at the end.</summary>
internal static class CniJsonWriter
{
    // Nothing of ours goes into HTML, so apostrophes stay legible; control characters are escaped all the same.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one object.</summary>
    public static ReadOnlyMemory<byte> Object<T>(T value, Action<Utf8JsonWriter, T> members)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            members(json, value);
            json.WriteEndObject();
        }

        buffer.GetSpan(1)[0] = (byte)'\n';
        buffer.Advance(1);
        return buffer.WrittenMemory;
    }

    /// <summary>Writes a member unless it has no value; an empty string is none.</summary>
    public static void WriteOptional(this Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            json.WriteString(name, value);
    }

    /// <summary>Writes a member unless it has no value.</summary>
    public static void WriteOptional(this Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    /// <summary>Writes a list of strings unless it is empty.</summary>
    public static void WriteOptional(this Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
            return;
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
