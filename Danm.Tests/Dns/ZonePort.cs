using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.Dns;

/// <summary>A port of a Service or an EndpointSlice.</summary>
internal sealed record ZonePort(string Name, string Protocol, int Number)
{
    /// <summary>Stands for all ports where none is declared: there is a name then, but nothing to find with SRV.</summary>
    private static readonly ZonePort Unknown = new("", "", -1);

    public bool IsKnown => Number >= 0;

    public static ZonePort[] Read(JsonNode? ports) => ports is not JsonArray { Count: > 0 } list ? [Unknown]
        : [.. list.Select(p => new ZonePort(p.At("name").String() ?? "", p.At("protocol").String() ?? "TCP", p.At("port") is JsonValue number ? (int)SchemaValidator.AsInteger(number)! : Unknown.Number))];
}
