using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;
using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Http;

/// <summary>How the client wants objects: whole, their metadata only, or as rows of a table.</summary>
public sealed class Representation
{
    private enum As { Object, Metadata, Table }

    private readonly ResourceType type;
    private readonly As form;
    private readonly bool convertEvents;
    private readonly string rowObject;

    private Representation(ResourceType type, As form, string rowObject = "")
    {
        this.type = type;
        this.form = form;
        this.rowObject = rowObject;
        convertEvents = type.Group == "events.k8s.io";
    }

    /// <summary>Takes the first media type of the Accept header that this server can write; 406 if there is none.</summary>
    public static Representation Of(HttpRequest request, ResourceType type)
    {
        var accept = request.Headers.Accept.ToString();
        foreach (var item in accept.Length == 0 ? ["*/*"] : accept.Split(','))
        {
            var parts = item.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "*/*" or "application/*"))
                continue;
            var target = parts.FirstOrDefault(p => p.StartsWith("as=", StringComparison.Ordinal))?[3..];
            if (target is not null && !(parts.Contains("v=v1") && parts.Contains("g=meta.k8s.io")))
                continue;
            switch (target)
            {
                case null: return new(type, As.Object);
                case "PartialObjectMetadata" or "PartialObjectMetadataList": return new(type, As.Metadata);
                case "Table": return new(type, As.Table, RowObject(request));
            }
        }
        throw StatusException.NotAcceptable(accept);
    }

    /// <summary>What a table's rows carry of their objects.</summary>
    private static string RowObject(HttpRequest request) => request.Query["includeObject"].ToString() switch
    {
        var part and ("" or "None" or "Metadata" or "Object") => part,
        var other => throw StatusException.BadRequest($"Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be 'Metadata', 'Object', 'None', or empty"),
    };

    public byte[] One(StoredObject item) => form switch
    {
        As.Object => Whole(item),
        As.Metadata => item.Partial,
        _ => Table([item], true, VersionOf(item)),
    };

    /// <param name="first">The first event of a watch carries the column definitions.</param>
    public byte[] Event(string kind, StoredObject item, bool first)
    {
        var body = form == As.Table
            ? Table([item], first, VersionOf(item))
            : One(item);
        return [.. "{\"type\":\""u8, .. System.Text.Encoding.ASCII.GetBytes(kind), .. "\",\"object\":"u8, .. body, .. "}\n"u8];
    }

    public PooledText List(IReadOnlyList<StoredObject> items, JsonObject listMetadata)
    {
        if (form == As.Table)
            return WriteTable(items, true, listMetadata);
        var head = new JsonObject
        {
            ["kind"] = form == As.Metadata ? "PartialObjectMetadataList" : type.ListKind,
            ["apiVersion"] = form == As.Metadata ? "meta.k8s.io/v1" : type.ApiVersion,
            ["metadata"] = listMetadata,
        };
        var buffer = new PooledText(items.Sum(i => i.Utf8.Length) + items.Count + 512);
        buffer.Write(Json.ToUtf8(head).AsSpan()[..^1]);
        buffer.Write(",\"items\":["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                buffer.Write(","u8);
            buffer.Write(One(items[i]));
        }
        buffer.Write("]}"u8);
        return buffer;
    }

    private byte[] Whole(StoredObject item) => convertEvents ? Json.ToUtf8(EventConversion.FromCore(item.Parse())) : item.Utf8;

    private static JsonObject VersionOf(StoredObject item) => new() { ["resourceVersion"] = item.ResourceVersion.ToString(CultureInfo.InvariantCulture) };

    private byte[] Table(IReadOnlyList<StoredObject> items, bool withColumns, JsonObject metadata)
    {
        using var text = WriteTable(items, withColumns, metadata);
        return text.Written.ToArray();
    }

    private PooledText WriteTable(IReadOnlyList<StoredObject> items, bool withColumns, JsonObject metadata)
    {
        var head = new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = withColumns ? new JsonArray([.. type.Columns.Select(c => (JsonNode)new JsonObject
            {
                ["name"] = c.Title, ["type"] = c.Type, ["format"] = c.Format, ["description"] = c.Description, ["priority"] = c.Priority,
            })]) : null,
        };
        var buffer = new PooledText((items.Count * 256) + 2048);
        buffer.Write(Json.ToUtf8(head).AsSpan()[..^1]);
        buffer.Write(",\"rows\":["u8);
        var ages = new AgeText(DateTimeOffset.UtcNow);
        for (var i = 0; i < items.Count; i++)
        {
            buffer.Write(i > 0 ? ",{\"cells\":"u8 : "{\"cells\":"u8);
            items[i].Row(type.Columns).Write(buffer, ages);
            buffer.Write(",\"object\":"u8);
            buffer.Write(rowObject switch { "None" => "null"u8, "Object" => Whole(items[i]), _ => items[i].Partial });
            buffer.Write("}"u8);
        }
        buffer.Write("]}"u8);
        return buffer;
    }
}
