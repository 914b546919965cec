using System.Net;
using System.Net.Sockets;

namespace Danm.Tests.Dns;

/// <summary>A resource record of class IN.</summary>
/// <param name="Lifetime">Seconds that it may be kept.</param>
public abstract record DnsRecord(DnsName Name, DnsType Type, uint Lifetime)
{
    internal abstract void WriteData(DnsWriter writer);
}

/// <summary>A or AAAA.</summary>
public sealed record AddressRecord(DnsName Name, IPAddress Address, uint Lifetime)
    : DnsRecord(Name, Address.AddressFamily == AddressFamily.InterNetwork ? DnsType.A : DnsType.Aaaa, Lifetime)
{
    internal override void WriteData(DnsWriter writer) => writer.Write(Address.GetAddressBytes());
}

/// <summary>CNAME.</summary>
public sealed record AliasRecord(DnsName Name, DnsName Target, uint Lifetime) : DnsRecord(Name, DnsType.Cname, Lifetime)
{
    internal override void WriteData(DnsWriter writer) => writer.Write(Target);
}

/// <summary>SRV.</summary>
public sealed record ServiceRecord(DnsName Name, ushort Priority, ushort Weight, ushort Port, DnsName Target, uint Lifetime) : DnsRecord(Name, DnsType.Srv, Lifetime)
{
    internal override void WriteData(DnsWriter writer)
    {
        writer.Write(Priority);
        writer.Write(Weight);
        writer.Write(Port);
        writer.Write(Target, mayPoint: false); // RFC 2782: name compression is not to be used
    }
}

/// <summary>SOA, with which a negative answer says how long it holds.</summary>
public sealed record AuthorityRecord(DnsName Name, uint Serial, uint Lifetime) : DnsRecord(Name, DnsType.Soa, Lifetime)
{
    internal override void WriteData(DnsWriter writer)
    {
        writer.Write(new DnsName(["ns", "dns", .. Name.Labels]));
        writer.Write(new DnsName(["hostmaster", .. Name.Labels]));
        foreach (var number in (uint[])[Serial, 7200, 1800, 86400, Lifetime])
            writer.Write(number);
    }
}
