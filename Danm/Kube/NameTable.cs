using System.Text.Json;

namespace Danm.Kube;

/// <summary>Takes an object's name, UTF-8.</summary>
internal delegate void NameVisitor(ReadOnlySpan<byte> name);

/// <summary>
/// The shortest form in which a server lists objects, <c>meta.k8s.io/v1 Table</c> without the objects themselves. Of a custom resource's
/// row the first cell is always the name, whatever columns its definition has.
/// </summary>
internal static class NameTable
{
    /// <summary>The list's parameter that leaves the objects out.</summary>
    public const string Query = "includeObject=None";

    /// <summary>Shows each row's name, nothing allocated.</summary>
    /// <returns>The token of the next page; null: this was the last one.</returns>
    /// <exception cref="JsonException">The text is no such table; some names may have been shown.</exception>
    public static string? Read(ReadOnlySpan<byte> text, NameVisitor visit)
    {
        var json = new Utf8JsonReader(text);
        var (isTable, hasRows) = (false, false);
        string? next = null;
        Enter(ref json, JsonTokenType.StartObject);
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("kind"u8))
            {
                Enter(ref json, JsonTokenType.String);
                isTable = json.ValueTextEquals("Table"u8);
            }
            else if (json.ValueTextEquals("metadata"u8))
            {
                next = ReadContinue(ref json);
            }
            else if (json.ValueTextEquals("rows"u8))
            {
                hasRows = true;
                Enter(ref json, JsonTokenType.StartArray);
                while (json.Read() && json.TokenType == JsonTokenType.StartObject)
                    ReadRow(ref json, visit);
                Expect(json.TokenType, JsonTokenType.EndArray);
            }
            else
            {
                json.Skip();
            }
        }

        Expect(json.TokenType, JsonTokenType.EndObject);
        // Whatever else came as an answer must not pass for a list without objects.
        return isTable && hasRows ? next : throw new JsonException("not a table");
    }

    private static string? ReadContinue(ref Utf8JsonReader json)
    {
        string? next = null;
        Enter(ref json, JsonTokenType.StartObject);
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("continue"u8))
            {
                Enter(ref json, JsonTokenType.String);
                next = json.GetString();
            }
            else
            {
                json.Skip();
            }
        }

        return string.IsNullOrEmpty(next) ? null : next;
    }

    private static void ReadRow(ref Utf8JsonReader json, NameVisitor visit)
    {
        var named = false;
        while (NextMember(ref json))
        {
            if (!json.ValueTextEquals("cells"u8))
            {
                json.Skip();
                continue;
            }

            Enter(ref json, JsonTokenType.StartArray);
            Enter(ref json, JsonTokenType.String);
            // No object's name needs an escape.
            if (json.ValueIsEscaped)
                throw new JsonException("a row whose first cell is no name");
            visit(json.ValueSpan);
            named = true;
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                json.Skip();
        }

        if (!named)
            throw new JsonException("a row without cells");
    }

    private static bool NextMember(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    private static void Enter(ref Utf8JsonReader json, JsonTokenType expected)
    {
        json.Read();
        Expect(json.TokenType, expected);
    }

    private static void Expect(JsonTokenType found, JsonTokenType expected)
    {
        if (found != expected)
            throw new JsonException($"{expected} expected, found {found}");
    }
}
