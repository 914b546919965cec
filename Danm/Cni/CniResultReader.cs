namespace Danm.Cni;

/// <summary>
/// Reads a result of any version: a delegate's, or <c>prevResult</c>. The members tell the version apart
/// (<c>ip4</c>/<c>ip6</c> up to 0.2.0, lists from 0.3.0 on), and unknown ones are ignored.
/// </summary>
public static class CniResultReader
{
    /// <summary>Reads a result.</summary>
    /// <param name="json">The document.</param>
    /// <param name="source">Whose result it is, for messages: "the result of macvlan".</param>
    /// <exception cref="CniException">Code 6, for everything that is wrong with it; an unknown version too.</exception>
    public static CniResult Read(ReadOnlyMemory<byte> json, string source)
    {
        var interfaces = new List<CniInterface>();
        var ips = new List<CniIp>();
        var routes = new List<CniRoute>();
        CniDns? dns = null;
        var reader = new CniJsonReader(json, source, CniErrorCode.DecodeFailure);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("cniVersion"u8))
                CheckVersion(ref reader);
            else if (key.SequenceEqual("interfaces"u8))
                ReadInterfaces(ref reader, interfaces);
            else if (key.SequenceEqual("ips"u8))
                ReadIps(ref reader, ips);
            else if (key.SequenceEqual("ip4"u8))
                ReadSingleAddress(ref reader, "ip4", ips, routes);
            else if (key.SequenceEqual("ip6"u8))
                ReadSingleAddress(ref reader, "ip6", ips, routes);
            else if (key.SequenceEqual("routes"u8))
                ReadRoutes(ref reader, "routes", routes);
            else if (key.SequenceEqual("dns"u8))
                dns = ReadDns(ref reader);
            else
                reader.SkipValue();
        }

        reader.ReadToEnd();
        ForgetWrongIndexes(ips, interfaces.Count);
        return new CniResult { Interfaces = interfaces, Ips = ips, Routes = routes, Dns = dns };
    }

    private static void CheckVersion(ref CniJsonReader reader)
    {
        var version = reader.String("cniVersion");
        if (!string.IsNullOrEmpty(version) && !SpecVersion.TryParse(version, out _))
            throw reader.BadValue("cniVersion", version, "is not supported");
    }

    // IPAM plugins list no interfaces, yet some of them number one.
    private static void ForgetWrongIndexes(List<CniIp> ips, int interfaces)
    {
        for (var i = 0; i < ips.Count; i++)
        {
            if (ips[i].Interface is { } index && (index < 0 || index >= interfaces))
                ips[i] = ips[i] with { Interface = null };
        }
    }

    private static void ReadInterfaces(ref CniJsonReader reader, List<CniInterface> interfaces)
    {
        if (!reader.IsList("interfaces"))
            return;
        interfaces.Clear();
        while (reader.NextItem())
        {
            reader.CheckCount("interfaces", interfaces.Count);
            interfaces.Add(ReadInterface(ref reader));
        }
    }

    private static CniInterface ReadInterface(ref CniJsonReader reader)
    {
        var link = new CniInterface("");
        if (!reader.IsObject("interfaces"))
            throw reader.BadValue("interfaces", "null", "is not an interface");
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("name"u8))
                link = link with { Name = reader.String("interfaces: name") ?? "" };
            else if (key.SequenceEqual("mac"u8))
                link = link with { Mac = NonEmpty(reader.String("interfaces: mac")) };
            else if (key.SequenceEqual("mtu"u8))
                link = link with { Mtu = ReadUInt(ref reader, "interfaces: mtu") };
            else if (key.SequenceEqual("sandbox"u8))
                link = link with { Sandbox = NonEmpty(reader.String("interfaces: sandbox")) };
            else if (key.SequenceEqual("socketPath"u8))
                link = link with { SocketPath = NonEmpty(reader.String("interfaces: socketPath")) };
            else if (key.SequenceEqual("pciID"u8))
                link = link with { PciId = NonEmpty(reader.String("interfaces: pciID")) };
            else
                reader.SkipValue();
        }

        return link;
    }

    private static void ReadIps(ref CniJsonReader reader, List<CniIp> ips)
    {
        if (!reader.IsList("ips"))
            return;
        ips.Clear();
        while (reader.NextItem())
        {
            reader.CheckCount("ips", ips.Count);
            ips.Add(ReadIp(ref reader));
        }
    }

    private static CniIp ReadIp(ref CniJsonReader reader)
    {
        var ip = new CniIp(default);
        var found = false;
        if (!reader.IsObject("ips"))
            throw reader.BadValue("ips", "null", "is not an address");
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("address"u8) && reader.Cidr("ips: address") is { } address)
            {
                ip = ip with { Address = address };
                found = true;
            }
            else if (key.SequenceEqual("gateway"u8))
            {
                ip = ip with { Gateway = reader.Address("ips: gateway") };
            }
            else if (key.SequenceEqual("interface"u8))
            {
                ip = ip with { Interface = (int?)reader.Integer("ips: interface", int.MinValue, int.MaxValue) };
            }
            else
            {
                reader.SkipValue();
            }
        }

        return found ? ip : throw reader.Missing("ips: address");
    }

    private static void ReadSingleAddress(ref CniJsonReader reader, string family, List<CniIp> ips, List<CniRoute> routes)
    {
        if (!reader.IsObject(family))
            return;
        var ip = new CniIp(default);
        var found = false;
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("ip"u8) && reader.Cidr("ip") is { } address)
            {
                ip = ip with { Address = address };
                found = true;
            }
            else if (key.SequenceEqual("gateway"u8))
            {
                ip = ip with { Gateway = reader.Address("gateway") };
            }
            else if (key.SequenceEqual("routes"u8))
            {
                ReadRoutes(ref reader, "routes", routes);
            }
            else
            {
                reader.SkipValue();
            }
        }

        if (!found)
            throw reader.Missing($"{family}: ip");
        reader.CheckCount(family, ips.Count);
        ips.Add(ip);
    }

    private static void ReadRoutes(ref CniJsonReader reader, string name, List<CniRoute> routes)
    {
        if (!reader.IsList(name))
            return;
        while (reader.NextItem())
        {
            reader.CheckCount(name, routes.Count);
            routes.Add(ReadRoute(ref reader));
        }
    }

    private static CniRoute ReadRoute(ref CniJsonReader reader)
    {
        var route = new CniRoute(default);
        var found = false;
        if (!reader.IsObject("routes"))
            throw reader.BadValue("routes", "null", "is not a route");
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("dst"u8) && reader.Cidr("routes: dst") is { } destination)
            {
                route = route with { Destination = destination };
                found = true;
            }
            else if (key.SequenceEqual("gw"u8))
            {
                route = route with { Gateway = reader.Address("routes: gw") };
            }
            else if (key.SequenceEqual("mtu"u8))
            {
                route = route with { Mtu = ReadUInt(ref reader, "routes: mtu") };
            }
            else if (key.SequenceEqual("advmss"u8))
            {
                route = route with { AdvMss = ReadUInt(ref reader, "routes: advmss") };
            }
            else if (key.SequenceEqual("priority"u8))
            {
                route = route with { Priority = ReadUInt(ref reader, "routes: priority") };
            }
            else if (key.SequenceEqual("table"u8))
            {
                route = route with { Table = ReadUInt(ref reader, "routes: table") };
            }
            else if (key.SequenceEqual("scope"u8))
            {
                route = route with { Scope = (byte?)reader.Integer("routes: scope", 0, 255) };
            }
            else
            {
                reader.SkipValue();
            }
        }

        return found ? route : throw reader.Missing("routes: dst");
    }

    private static CniDns? ReadDns(ref CniJsonReader reader)
    {
        if (!reader.IsObject("dns"))
            return null;
        var dns = new CniDns();
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("nameservers"u8))
                dns = dns with { Nameservers = reader.Strings("dns: nameservers") };
            else if (key.SequenceEqual("domain"u8))
                dns = dns with { Domain = NonEmpty(reader.String("dns: domain")) };
            else if (key.SequenceEqual("search"u8))
                dns = dns with { Search = reader.Strings("dns: search") };
            else if (key.SequenceEqual("options"u8))
                dns = dns with { Options = reader.Strings("dns: options") };
            else
                reader.SkipValue();
        }

        return dns.IsEmpty ? null : dns;
    }

    private static string? NonEmpty(string? text) => text is "" ? null : text;

    private static uint? ReadUInt(ref CniJsonReader reader, string key) => (uint?)reader.Integer(key, 0, uint.MaxValue);
}
