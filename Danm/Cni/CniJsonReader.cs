using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Danm.Netlink;

namespace Danm.Cni;

/// <summary>
/// Walks one JSON document of CNI without building a tree. Its bounds hold for whatever comes from outside: the text is at
/// most <see cref="MaxBytes"/> long and <see cref="MaxDepth"/> deep, and lists end at <see cref="MaxItems"/>.
/// <c>null</c> counts as an absent value, as it does to plugins in Go.
/// </summary>
internal ref struct CniJsonReader
{
    public const int MaxBytes = 1 << 20;
    public const int MaxDepth = 64;
    public const int MaxItems = 4096;

    private readonly ReadOnlyMemory<byte> _text;
    private readonly string _document;
    private readonly int _badValueCode;
    private Utf8JsonReader _json;

    /// <summary>Starts at the document's outermost object.</summary>
    /// <param name="document">The document in UTF-8.</param>
    /// <param name="name">What it is, for messages: "the network configuration".</param>
    /// <param name="badValueCode">The code of errors about well-formed JSON with a wrong value.</param>
    /// <exception cref="CniException">Code 6: too long, no UTF-8, no JSON, or no object.</exception>
    public CniJsonReader(ReadOnlyMemory<byte> document, string name, int badValueCode)
    {
        var text = document.Span;
        _text = document;
        _document = name;
        _badValueCode = badValueCode;
        if (text.IsEmpty)
            throw Malformed("is empty");
        if (text.Length > MaxBytes)
            throw Malformed($"is longer than {MaxBytes} bytes");
        if (!Utf8.IsValid(text))
            throw Malformed("is not UTF-8 text");
        _json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
        Advance();
        if (_json.TokenType != JsonTokenType.StartObject)
            throw Malformed("is not a JSON object");
    }

    /// <summary>Reads on to the document's end, so that all of it is known to be JSON.</summary>
    public void ReadToEnd()
    {
        while (Advance())
        {
        }
    }

    /// <summary>
    /// Steps to the next member of the object whose start or last member's value was read, and to its value.
    /// False at the object's end.
    /// </summary>
    /// <param name="name">The member's name in UTF-8, as it stands in the document when it needs no unescaping.</param>
    public bool NextMember(out ReadOnlySpan<byte> name)
    {
        name = default;
        Advance();
        if (_json.TokenType == JsonTokenType.EndObject)
            return false;
        name = _json.ValueIsEscaped ? Encoding.UTF8.GetBytes(Unescape("a member's name")) : _json.ValueSpan;
        Advance();
        return true;
    }

    /// <summary>Steps to the next item of the list whose start or last item was read. False at the list's end.</summary>
    public bool NextItem()
    {
        Advance();
        return _json.TokenType != JsonTokenType.EndArray;
    }

    /// <summary>Steps over the value that was reached.</summary>
    public void SkipValue()
    {
        try
        {
            _json.Skip();
        }
        catch (JsonException error)
        {
            throw Malformed(error);
        }
    }

    /// <summary>Steps over the value that was reached and gives its text as it stands.</summary>
    public ReadOnlyMemory<byte> RawValue()
    {
        var start = (int)_json.TokenStartIndex;
        SkipValue();
        return _text[start..(int)_json.BytesConsumed];
    }

    /// <summary>Whether the value that was reached is an object; false for null.</summary>
    public readonly bool IsObject(string key) => IsStartOf(JsonTokenType.StartObject, key, "an object");

    /// <summary>Whether the value that was reached is a list; false for null.</summary>
    public readonly bool IsList(string key) => IsStartOf(JsonTokenType.StartArray, key, "a list");

    /// <summary>The string that was reached; null for null.</summary>
    public string? String(string key, int maxLength = 4096)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return null;
        if (_json.TokenType != JsonTokenType.String)
            throw WrongKind(key, "a string");
        var value = Unescape(key);
        return value.Length <= maxLength ? value : throw BadValue(key, value, $"is longer than {maxLength} characters");
    }

    /// <summary>The whole number that was reached; null for null.</summary>
    public readonly long? Integer(string key, long min, long max)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return null;
        if (_json.TokenType != JsonTokenType.Number)
            throw WrongKind(key, "a whole number");
        return _json.TryGetInt64(out var value) && value >= min && value <= max
            ? value
            : throw BadValue(key, Encoding.UTF8.GetString(_json.ValueSpan), $"is not a whole number from {min} to {max}");
    }

    /// <summary>The truth value that was reached; false for null.</summary>
    public readonly bool Boolean(string key) => _json.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        _ => throw WrongKind(key, "true or false"),
    };

    /// <summary>The truth value that was reached, or the text of one: 0.4.0 of the specification calls them strings, as libcni takes them still.</summary>
    public bool Flag(string key)
    {
        if (_json.TokenType != JsonTokenType.String)
            return Boolean(key);
        var text = String(key)!;
        if (text.Equals("true", StringComparison.OrdinalIgnoreCase))
            return true;
        return text.Equals("false", StringComparison.OrdinalIgnoreCase) ? false : throw BadValue(key, text, "is neither true nor false");
    }

    /// <summary>The address that was reached; null for null and for an empty string, which is how Go spells no address.</summary>
    public IPAddress? Address(string key)
    {
        var text = String(key);
        if (string.IsNullOrEmpty(text))
            return null;
        return CidrAddress.TryParseAddress(text, out var address) ? address : throw BadValue(key, text, "is not an IP address");
    }

    /// <summary>The address with a prefix length that was reached; null for null.</summary>
    public CidrAddress? Cidr(string key)
    {
        var text = String(key);
        if (text is null)
            return null;
        return CidrAddress.TryParse(text, out var cidr) ? cidr : throw BadValue(key, text, "is not an IP address with a prefix length");
    }

    /// <summary>The list of strings that was reached; empty for null. Nulls in it are left out.</summary>
    public List<string> Strings(string key)
    {
        var values = new List<string>();
        if (!IsList(key))
            return values;
        while (NextItem())
        {
            CheckCount(key, values.Count);
            if (String(key) is { } value)
                values.Add(value);
        }

        return values;
    }

    /// <summary>Throws unless a list of so many items may grow by one.</summary>
    public readonly void CheckCount(string key, int count)
    {
        if (count >= MaxItems)
            throw new CniException(_badValueCode, $"{_document}: {key} has more than {MaxItems} items");
    }

    /// <summary>An error that names the key and the value.</summary>
    public readonly CniException BadValue(string key, string value, string complaint) =>
        new(_badValueCode, $"{_document}: {key} {CniText.Quote(value)} {complaint}");

    /// <summary>An error about a member that must be there.</summary>
    public readonly CniException Missing(string key) => new(_badValueCode, $"{_document}: {key} is missing");

    private readonly bool IsStartOf(JsonTokenType type, string key, string kind)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return false;
        return _json.TokenType == type ? true : throw WrongKind(key, kind);
    }

    private bool Advance()
    {
        try
        {
            return _json.Read();
        }
        catch (JsonException error)
        {
            throw Malformed(error);
        }
    }

    private string Unescape(string key)
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Malformed($"has half a UTF-16 surrogate pair in {key}");
        }
    }

    private readonly CniException WrongKind(string key, string wanted)
    {
        var found = _json.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "a list",
            _ => CniText.Quote(Encoding.UTF8.GetString(_json.ValueSpan)),
        };
        return new CniException(_badValueCode, $"{_document}: {key} is {found}, not {wanted}");
    }

    private readonly CniException Malformed(string complaint) => new(CniErrorCode.DecodeFailure, $"{_document} {complaint}");

    private readonly CniException Malformed(JsonException error) => new(
        CniErrorCode.DecodeFailure,
        $"{_document} is not valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}",
        error.Message,
        error);
}
