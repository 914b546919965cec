namespace Danm.Tests.Dns;

/// <summary>The types of records known here: RFC 1035, 2782 (SRV), 3596 (AAAA), 6891 (OPT).</summary>
public enum DnsType : ushort
{
    A = 1,
    Cname = 5,
    Soa = 6,
    Aaaa = 28,
    Srv = 33,
    Opt = 41,
}
