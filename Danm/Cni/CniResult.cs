using System.Net;
using Danm.Netlink;

namespace Danm.Cni;

/// <summary>
/// What an ADD made, in the terms of the newest specification (1.1.0, section "ADD Success");
/// <see cref="CniResultWriter"/> writes it in whatever version the runtime asked for.
/// </summary>
public sealed record CniResult
{
    /// <summary>The interfaces, in the order that <see cref="CniIp.Interface"/> counts.</summary>
    public IReadOnlyList<CniInterface> Interfaces { get; init; } = [];

    /// <summary>The addresses. Runtimes take the first of each family as the Pod's.</summary>
    public IReadOnlyList<CniIp> Ips { get; init; } = [];

    /// <summary>The routes.</summary>
    public IReadOnlyList<CniRoute> Routes { get; init; } = [];

    /// <summary>What resolvers in the container should use, if the plugin knows.</summary>
    public CniDns? Dns { get; init; }
}

/// <summary>One interface of a result.</summary>
/// <param name="Name">Its name.</param>
public sealed record CniInterface(string Name)
{
    /// <summary>The hardware address, as the kernel spells it.</summary>
    public string? Mac { get; init; }

    /// <summary>The MTU in bytes; written from 1.1.0 on.</summary>
    public uint? Mtu { get; init; }

    /// <summary>The path of the network namespace it is in; null for an interface of the host.</summary>
    public string? Sandbox { get; init; }

    /// <summary>The socket of a user-space interface (vhost-user); written from 1.1.0 on.</summary>
    public string? SocketPath { get; init; }

    /// <summary>The PCI address of the device; written from 1.1.0 on.</summary>
    public string? PciId { get; init; }
}

/// <summary>One address of a result.</summary>
/// <param name="Address">The address with its subnet's prefix length.</param>
/// <param name="Gateway">The subnet's default gateway.</param>
/// <param name="Interface">The index in <see cref="CniResult.Interfaces"/>; null if the plugin does not know, as with IPAM plugins.</param>
public sealed record CniIp(CidrAddress Address, IPAddress? Gateway = null, int? Interface = null);

/// <summary>One route of a result.</summary>
/// <param name="Destination">The destination; <c>0.0.0.0/0</c> or <c>::/0</c> for the default route.</param>
/// <param name="Gateway">The next hop; null for one on the link.</param>
public sealed record CniRoute(CidrAddress Destination, IPAddress? Gateway = null)
{
    /// <summary>The kernel's number of the main table (RT_TABLE_MAIN).</summary>
    public const uint MainTable = 254;

    /// <summary>The path MTU in bytes.</summary>
    public uint? Mtu { get; init; }

    /// <summary>The TCP maximum segment size to advertise, in bytes.</summary>
    public uint? AdvMss { get; init; }

    /// <summary>The metric; the lower wins.</summary>
    public uint? Priority { get; init; }

    /// <summary>The routing table; null and 0 mean main. Versions before 1.1.0 leave out routes of other tables.</summary>
    public uint? Table { get; init; }

    /// <summary>The scope as the kernel numbers it (RT_SCOPE_*).</summary>
    public byte? Scope { get; init; }

    /// <summary>Whether this is a route of the main table, the only one that versions before 1.1.0 can tell.</summary>
    public bool IsInMainTable => Table is null or 0 or MainTable;
}

/// <summary>Name service settings of a result; a runtime may write a resolv.conf of them.</summary>
public sealed record CniDns
{
    /// <summary>Addresses of name servers, in order of preference.</summary>
    public IReadOnlyList<string> Nameservers { get; init; } = [];

    /// <summary>The local domain.</summary>
    public string? Domain { get; init; }

    /// <summary>The search list for short names, in order.</summary>
    public IReadOnlyList<string> Search { get; init; } = [];

    /// <summary>Options of the resolver.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Whether nothing is set.</summary>
    public bool IsEmpty => Nameservers.Count == 0 && Search.Count == 0 && Options.Count == 0 && string.IsNullOrEmpty(Domain);
}
