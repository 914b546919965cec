using System.Buffers;
using System.Text.Json;
using Danm.Api;

namespace Danm.Kube;

/// <summary>
/// A page of a list as the server wrote it. Of a million objects few members are wanted: they are read where they lie, without
/// an object for each.
/// </summary>
internal static class ListJson
{
    // metadata of a list: a version, a count, and a token of a few hundred bytes.
    private const int MaxTail = 8192;

    /// <summary>A reader that stands before the first item.</summary>
    /// <exception cref="JsonException">No list.</exception>
    public static Utf8JsonReader Items(ReadOnlySpan<byte> page)
    {
        var json = new Utf8JsonReader(page);
        if (!Enter(ref json))
            throw new JsonException("a list is a JSON object");
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("items"u8) && json.Read() && json.TokenType == JsonTokenType.StartArray)
                return json;
            json.Skip();
        }

        return json;
    }

    /// <summary>Goes to the next item, an object; false after the last.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static bool NextItem(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.StartObject;

    /// <summary>Goes to the next member's name in the object that the reader is in; false at its end.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static bool NextMember(ref Utf8JsonReader json) => json.Read() && json.TokenType == JsonTokenType.PropertyName;

    /// <summary>Goes into the object that comes next, a member's value or all of the text; false, and what comes is passed, if that is none.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static bool Enter(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.StartObject)
            return true;
        json.Skip();
        return false;
    }

    /// <summary>The value of the member whose name the reader stands on; null if it is no text.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static string? Text(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.String)
            return json.GetString();
        json.Skip();
        return null;
    }

    /// <summary>A text within the object that is the value of the member whose name the reader stands on; null if there is none.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static string? TextWithin(ref Utf8JsonReader json, ReadOnlySpan<byte> member) =>
        FindWithin(ref json, member, static (ref Utf8JsonReader value) => value.GetString());

    /// <summary>The same for a UID; empty if there is none.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static Guid UidWithin(ref Utf8JsonReader json, ReadOnlySpan<byte> member) =>
        FindWithin(ref json, member, static (ref Utf8JsonReader value) => value.TryGetGuid(out var uid) ? uid : Guid.Empty);

    /// <summary>The token of the next page; null on the last one.</summary>
    /// <exception cref="JsonException">No list.</exception>
    public static string? Continue(ReadOnlySpan<byte> page) => Metadata(page).Continue is { Length: > 0 } token ? token : null;

    /// <summary>What the list says of itself; members that are no text are absent.</summary>
    /// <remarks>
    /// Found before the items are read, so that the server can be asked while they are: typed lists have their metadata in front, those
    /// of custom resources at the end (their members are sorted).
    /// </remarks>
    /// <exception cref="JsonException">No list.</exception>
    public static ListMeta Metadata(ReadOnlySpan<byte> page)
    {
        var json = new Utf8JsonReader(page);
        if (!Enter(ref json))
            throw new JsonException("a list is a JSON object");
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
                return ReadMetadata(ref json);
            if (json.ValueTextEquals("items"u8) && TryReadTail(page) is { } metadata)
                return metadata;
            json.Skip();
        }

        return new ListMeta();
    }

    // Behind the last item are the list's remaining members: with a brace before them they are an object, or else there is no such shortcut.
    private static ListMeta? TryReadTail(ReadOnlySpan<byte> page)
    {
        var tail = page[(page.LastIndexOf((byte)']') + 1)..];
        if (tail.Length is < 2 or > MaxTail || tail[0] != ',')
            return null;
        var copy = ArrayPool<byte>.Shared.Rent(tail.Length);
        try
        {
            tail.CopyTo(copy);
            copy[0] = (byte)'{';
            var json = new Utf8JsonReader(copy.AsSpan(0, tail.Length));
            ListMeta? found = null;
            Enter(ref json);
            while (NextMember(ref json))
            {
                if (json.ValueTextEquals("metadata"u8))
                    found = ReadMetadata(ref json);
                else
                    json.Skip();
            }

            return json.Read() ? null : found;
        }
        catch (JsonException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static ListMeta ReadMetadata(ref Utf8JsonReader json)
    {
        var metadata = new ListMeta();
        if (!Enter(ref json))
            return metadata;
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals("continue"u8))
                metadata.Continue = Text(ref json);
            else if (json.ValueTextEquals("resourceVersion"u8))
                metadata.ResourceVersion = Text(ref json);
            else
                json.Skip();
        }

        return metadata;
    }

    private delegate T? ReadText<T>(ref Utf8JsonReader json);

    private static T? FindWithin<T>(ref Utf8JsonReader json, ReadOnlySpan<byte> member, ReadText<T> read)
    {
        T? found = default;
        if (!Enter(ref json))
            return found;
        while (NextMember(ref json))
        {
            if (json.ValueTextEquals(member) && json.Read() && json.TokenType == JsonTokenType.String)
                found = read(ref json);
            else
                json.Skip();
        }

        return found;
    }
}
