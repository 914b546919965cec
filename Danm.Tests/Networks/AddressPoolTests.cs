using System.Net;
using Danm.Api;
using Danm.Networks;

namespace Danm.Tests.Networks;

public sealed class AddressPoolTests
{
    private static AddressPool? IPv4(string? cidr, string? start = null, string? end = null, params string[] gateways) =>
        AddressPool.IPv4(NetworkTests.Make(new NetworkOptions
        {
            Cidr = cidr,
            AllocationPool = new AllocationPool { Start = start, End = end },
            Routes = gateways.Index().ToDictionary(entry => $"192.168.{entry.Index}.0/24", entry => entry.Item),
        }));

    private static AddressPool? IPv6(string? net6, string? start = null, string? end = null, string? cidr = null) =>
        AddressPool.IPv6(NetworkTests.Make(new NetworkOptions
        {
            Net6 = net6,
            AllocationPoolV6 = new AllocationPoolV6 { Start = start, End = end, Cidr = cidr },
        }));

    [TestCase("10.0.0.0/24", null, null, "10.0.0.1-10.0.0.254", 254)]
    [TestCase("10.0.0.0/24", "", "", "10.0.0.1-10.0.0.254", 254)]
    [TestCase("10.0.0.77/24", "10.0.0.10", null, "10.0.0.10-10.0.0.254", 245)]
    [TestCase("10.0.0.0/24", null, "10.0.0.10", "10.0.0.1-10.0.0.10", 10)]
    [TestCase("10.0.0.0/24", "10.0.0.7", "10.0.0.7", "10.0.0.7-10.0.0.7", 1)]
    [TestCase("10.0.0.0/30", null, null, "10.0.0.1-10.0.0.2", 2)]
    [TestCase("10.0.0.0/31", null, null, "10.0.0.0-10.0.0.1", 2)]
    [TestCase("10.0.0.5/32", null, null, "10.0.0.5-10.0.0.5", 1)]
    [TestCase("0.0.0.0/0", null, null, "0.0.0.1-255.255.255.254", 4294967294)]
    public void IPv4_pools(string cidr, string? start, string? end, string pool, long size)
    {
        IPv4(cidr, start, end)!.ToString().Should().Be(pool);
        IPv4(cidr, start, end)!.Size.Should().Be((UInt128)size);
    }

    [TestCase("fd00::/64", null, null, null, "fd00::1-fd00::ffff:ffff:ffff:fffe")]
    [TestCase("fd00::/64", null, null, "fd00::/105", "fd00::1-fd00::7f:fffe")]
    [TestCase("fd00::/64", "fd00::5", null, "fd00::/112", "fd00::5-fd00::fffe")]
    [TestCase("64:ff9b::/96", null, "64:ff9b::9", "", "64:ff9b::1-64:ff9b::9")]
    [TestCase("fd00::/127", null, null, null, "fd00::-fd00::1")]
    [TestCase("fd00::/128", null, null, null, "fd00::-fd00::")]
    public void IPv6_pools(string net6, string? start, string? end, string? cidr, string pool)
    {
        IPv6(net6, start, end, cidr)!.ToString().Should().Be(pool);
        IPv6(net6, start, end, cidr)!.Subnet.PrefixLength.Should().Be(int.Parse(net6[(net6.IndexOf('/') + 1)..]));
    }

    [TestCase(null)]
    [TestCase("")]
    public void No_subnet_no_pool(string? subnet)
    {
        IPv4(subnet, "10.0.0.1").Should().BeNull();
        IPv6(subnet, cidr: "fd00::/64").Should().BeNull();
    }

    [TestCase("10.0.0.0", null, null, "spec.Options.cidr: \"10.0.0.0\" must be an IPv4 subnet*")]
    [TestCase("fd00::/64", null, null, "spec.Options.cidr: \"fd00::/64\" must be an IPv4 subnet*")]
    [TestCase("10.0.0.0/24", "10.0.1.1", null, "spec.Options.allocation_pool.start: \"10.0.1.1\" must be an address inside 10.0.0.0/24")]
    [TestCase("10.0.0.0/24", null, "x", "spec.Options.allocation_pool.end: \"x\" must be an address inside 10.0.0.0/24")]
    [TestCase("10.0.0.0/24", "10.0.0.9", "10.0.0.8", "spec.Options.allocation_pool.start: \"10.0.0.9\" must not come after the pool's end 10.0.0.8")]
    public void Pools_outside_their_subnet_are_faults(string cidr, string? start, string? end, string message) =>
        FluentActions.Invoking(() => IPv4(cidr, start, end)).Should().Throw<NetworkFaultException>().WithMessage(message);

    [TestCase("fd00::/64", null, "fd01::/105", "spec.Options.allocation_pool_v6.cidr: \"fd01::/105\" must lie inside fd00::/64")]
    [TestCase("fd00::/64", null, "fd00::/48", "spec.Options.allocation_pool_v6.cidr*")]
    [TestCase("fd00::/64", null, "10.0.0.0/24", "spec.Options.allocation_pool_v6.cidr*must be an IPv6 subnet*")]
    [TestCase("fd00::/64", "fd00::1:0:0", "fd00::/105", "spec.Options.allocation_pool_v6.start*must be an address inside fd00::/105")]
    public void IPv6_pools_outside_their_prefix_are_faults(string net6, string? start, string? cidr, string message) =>
        FluentActions.Invoking(() => IPv6(net6, start, null, cidr)).Should().Throw<NetworkFaultException>().WithMessage(message);

    [TestCase("10.0.0.0/24", "10.0.0.0", true)]
    [TestCase("10.0.0.0/24", "10.0.0.255", true)]
    [TestCase("10.0.0.0/24", "10.0.0.1", false)]
    [TestCase("10.0.0.0/24", "10.0.0.65", true, "10.0.0.65")]
    [TestCase("10.0.0.0/30", "10.0.0.3", true)]
    [TestCase("10.0.0.0/31", "10.0.0.0", false)]
    [TestCase("10.0.0.0/31", "10.0.0.1", true, "10.0.0.1")]
    [TestCase("10.0.0.0/32", "10.0.0.0", false)]
    public void Reserved_IPv4(string cidr, string address, bool reserved, params string[] gateways) =>
        IPv4(cidr, gateways: gateways)!.IsReserved(IPAddress.Parse(address)).Should().Be(reserved);

    [TestCase("fd00::/64", "fd00::", true)]
    [TestCase("fd00::/64", "fd00::ffff:ffff:ffff:ffff", false)]
    [TestCase("fd00::/126", "fd00::", true)]
    [TestCase("fd00::/127", "fd00::", false)]
    public void Reserved_IPv6(string net6, string address, bool reserved) =>
        IPv6(net6)!.IsReserved(IPAddress.Parse(address)).Should().Be(reserved);

    [Test]
    public void Places_and_addresses_of_a_pool_belong_together()
    {
        var pool = IPv6("fd00::/64", "fd00::10", "fd00::1f")!;

        pool.At(0).Should().Be(IPAddress.Parse("fd00::10"));
        pool.At(15).Should().Be(IPAddress.Parse("fd00::1f"));
        pool.IndexOf(IPAddress.Parse("fd00::12")).Should().Be((UInt128)2);
        pool.IndexOf(IPAddress.Parse("fd00::20")).Should().BeNull();
        pool.IndexOf(IPAddress.Parse("10.0.0.1")).Should().BeNull();
        FluentActions.Invoking(() => pool.At(16)).Should().Throw<ArgumentOutOfRangeException>();
    }
}
