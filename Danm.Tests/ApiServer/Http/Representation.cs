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

    private Representation(ResourceType type, As form)
    {
        this.type = type;
        this.form = form;
        convertEvents = type.Group == "events.k8s.io";
    }

    public bool IsTable => form == As.Table;

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
                case "Table": return new(type, As.Table);
            }
        }
        throw StatusException.NotAcceptable(accept);
    }

    public byte[] One(StoredObject item) => form switch
    {
        As.Object when !convertEvents => item.Utf8,
        As.Object => Json.ToUtf8(EventConversion.FromCore(item.Parse())),
        As.Metadata => Json.ToUtf8(Partial(item.Parse())),
        _ => Json.ToUtf8(Table([item], true, null)),
    };

    /// <param name="first">The first event of a watch carries the column definitions.</param>
    public byte[] Event(string kind, StoredObject item, bool first)
    {
        var body = form == As.Table ? Json.ToUtf8(Table([item], first, null)) : One(item);
        return [.. "{\"type\":\""u8, .. System.Text.Encoding.ASCII.GetBytes(kind), .. "\",\"object\":"u8, .. body, .. "}\n"u8];
    }

    public ReadOnlyMemory<byte> List(IReadOnlyList<StoredObject> items, JsonObject listMetadata)
    {
        if (form == As.Table)
            return Json.ToUtf8(Table(items, true, listMetadata));
        var head = new JsonObject
        {
            ["kind"] = form == As.Metadata ? "PartialObjectMetadataList" : type.ListKind,
            ["apiVersion"] = form == As.Metadata ? "meta.k8s.io/v1" : type.ApiVersion,
            ["metadata"] = listMetadata,
        };
        var buffer = new MemoryStream(items.Sum(i => i.Utf8.Length) + items.Count + 512);
        buffer.Write(Json.ToUtf8(head).AsSpan()[..^1]);
        buffer.Write(",\"items\":["u8);
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                buffer.WriteByte((byte)',');
            buffer.Write(One(items[i]));
        }
        buffer.Write("]}"u8);
        return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
    }

    private static JsonObject Partial(JsonObject body) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = body["metadata"]!.DeepClone(),
    };

    private JsonObject Table(IEnumerable<StoredObject> items, bool withColumns, JsonObject? metadata)
    {
        var rows = new JsonArray();
        var version = "";
        foreach (var item in items)
        {
            var body = item.Parse();
            version = item.ResourceVersion.ToString();
            rows.Add(new JsonObject
            {
                ["cells"] = new JsonArray([.. type.Columns.Select(c => c.Cell(body))]),
                ["object"] = Partial(body),
            });
        }
        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata ?? new JsonObject { ["resourceVersion"] = version },
            ["columnDefinitions"] = withColumns ? new JsonArray([.. type.Columns.Select(c => (JsonNode)new JsonObject
            {
                ["name"] = c.Title, ["type"] = c.Type, ["format"] = c.Format, ["description"] = c.Description, ["priority"] = c.Priority,
            })]) : null,
            ["rows"] = rows,
        };
    }
}
