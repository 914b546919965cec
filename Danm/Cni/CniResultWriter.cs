using System.Text.Json;

namespace Danm.Cni;

/// <summary>
/// Writes a result as the specification of each version has it (section "Result", in 1.0.0 and later "ADD Success").
/// What a version cannot say is left out; routes of other tables than main too, since they would read as routes of main.
/// </summary>
public static class CniResultWriter
{
    /// <summary>The JSON text of <paramref name="result"/> in <paramref name="version"/>.</summary>
    public static ReadOnlyMemory<byte> Write(CniResult result, SpecVersion version)
    {
        ArgumentNullException.ThrowIfNull(result);
        return CniJsonWriter.Object((result, version), static (json, document) =>
        {
            var (result, version) = document;
            json.WriteString("cniVersion"u8, version.ToString());
            if (version.HasSingleAddresses)
            {
                WriteSingleAddress(json, "ip4"u8, result, ipv6: false);
                WriteSingleAddress(json, "ip6"u8, result, ipv6: true);
            }
            else
            {
                WriteInterfaces(json, result.Interfaces, version);
                WriteIps(json, result.Ips, version);
                WriteRoutes(json, result.Routes, version);
            }

            WriteDns(json, result.Dns);
        });
    }

    // 0.1.0 and 0.2.0: { "ip": …, "gateway": …, "routes": [ … ] }, one for each family.
    private static void WriteSingleAddress(Utf8JsonWriter json, ReadOnlySpan<byte> name, CniResult result, bool ipv6)
    {
        foreach (var ip in result.Ips)
        {
            if (ip.Address.IsIPv6 != ipv6)
                continue;
            json.WriteStartObject(name);
            json.WriteString("ip"u8, ip.Address.ToString());
            json.WriteOptional("gateway"u8, ip.Gateway?.ToString());
            var routes = new List<CniRoute>();
            foreach (var route in result.Routes)
            {
                if (route.Destination.IsIPv6 == ipv6)
                    routes.Add(route);
            }

            WriteRoutes(json, routes, SpecVersion.V0_2_0);
            json.WriteEndObject();
            return;
        }
    }

    private static void WriteInterfaces(Utf8JsonWriter json, IReadOnlyList<CniInterface> interfaces, SpecVersion version)
    {
        if (interfaces.Count == 0)
            return;
        json.WriteStartArray("interfaces"u8);
        foreach (var link in interfaces)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, link.Name);
            json.WriteOptional("mac"u8, link.Mac);
            if (version.HasRichInterfacesAndRoutes)
                json.WriteOptional("mtu"u8, link.Mtu);
            json.WriteOptional("sandbox"u8, link.Sandbox);
            if (version.HasRichInterfacesAndRoutes)
            {
                json.WriteOptional("socketPath"u8, link.SocketPath);
                json.WriteOptional("pciID"u8, link.PciId);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteIps(Utf8JsonWriter json, IReadOnlyList<CniIp> ips, SpecVersion version)
    {
        if (ips.Count == 0)
            return;
        json.WriteStartArray("ips"u8);
        foreach (var ip in ips)
        {
            json.WriteStartObject();
            if (version.HasAddressVersion)
                json.WriteString("version"u8, ip.Address.IsIPv6 ? "6"u8 : "4"u8);
            json.WriteOptional("interface"u8, ip.Interface);
            json.WriteString("address"u8, ip.Address.ToString());
            json.WriteOptional("gateway"u8, ip.Gateway?.ToString());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRoutes(Utf8JsonWriter json, IReadOnlyList<CniRoute> routes, SpecVersion version)
    {
        var open = false;
        foreach (var route in routes)
        {
            if (!version.HasRichInterfacesAndRoutes && !route.IsInMainTable)
                continue;
            if (!open)
                json.WriteStartArray("routes"u8);
            open = true;
            WriteRoute(json, route, version);
        }

        if (open)
            json.WriteEndArray();
    }

    private static void WriteRoute(Utf8JsonWriter json, CniRoute route, SpecVersion version)
    {
        json.WriteStartObject();
        json.WriteString("dst"u8, route.Destination.ToString());
        json.WriteOptional("gw"u8, route.Gateway?.ToString());
        if (version.HasRichInterfacesAndRoutes)
        {
            json.WriteOptional("mtu"u8, route.Mtu);
            json.WriteOptional("advmss"u8, route.AdvMss);
            json.WriteOptional("priority"u8, route.Priority);
            json.WriteOptional("table"u8, route.Table);
            json.WriteOptional("scope"u8, route.Scope);
        }

        json.WriteEndObject();
    }

    private static void WriteDns(Utf8JsonWriter json, CniDns? dns)
    {
        if (dns is null || dns.IsEmpty)
            return;
        json.WriteStartObject("dns"u8);
        json.WriteOptional("nameservers"u8, dns.Nameservers);
        json.WriteOptional("domain"u8, dns.Domain);
        json.WriteOptional("search"u8, dns.Search);
        json.WriteOptional("options"u8, dns.Options);
        json.WriteEndObject();
    }
}
