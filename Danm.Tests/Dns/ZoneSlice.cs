using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Dns;

/// <summary>The ready addresses of an EndpointSlice, each with the label that it is found by below its Service, and their ports.</summary>
/// <param name="Service">Its name; empty where the slice belongs to none.</param>
internal sealed record ZoneSlice(string Namespace, string Service, (string Label, IPAddress Address)[] Endpoints, ZonePort[] Ports)
{
    /// <summary>An endpoint that says nothing of being ready is. Slices of names (FQDN) are left out.</summary>
    public static ZoneSlice Read(JsonObject slice) => new(
        slice.At("metadata", "namespace").String()!,
        slice.At("metadata", "labels", "kubernetes.io/service-name").String() ?? "",
        [.. (slice["endpoints"] as JsonArray ?? [])
            .Where(e => slice["addressType"].String() != "FQDN" && e.At("conditions", "ready")?.GetValue<bool>() != false)
            .SelectMany(e => e.At("addresses").Strings().Select(a => (e.At("hostname").String() ?? Label(a), IPAddress.Parse(a))))],
        ZonePort.Read(slice["ports"]));

    private static string Label(string address) => address.Replace('.', '-').Replace(':', '-');
}
