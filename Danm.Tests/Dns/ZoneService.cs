using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Dns;

/// <summary>A Service as far as names come of it.</summary>
internal sealed record ZoneService(string Namespace, string Name, DnsName? Alias, IPAddress[] Addresses, ZonePort[] Ports)
{
    /// <summary>No address of its own: its endpoints' are its.</summary>
    public bool IsHeadless => Alias is null && Addresses.Length == 0;

    public static ZoneService Read(JsonObject service) => new(
        service.At("metadata", "namespace").String()!,
        service.At("metadata", "name").String()!,
        service.At("spec", "type").String() == "ExternalName" ? DnsName.Parse(service.At("spec", "externalName").String()!) : null,
        [.. service.At("spec", "clusterIPs").Strings().Where(a => a != "None").Select(IPAddress.Parse)],
        ZonePort.Read(service.At("spec", "ports")));
}
