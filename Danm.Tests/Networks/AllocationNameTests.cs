using System.Net;
using System.Text;
using CsCheck;
using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Networks;

public sealed class AllocationNameTests
{
    private static readonly Segment Vlan500 = new("vlan500.ens4", "vlan500.ens4");

    [TestCase("10.1.0.5", "10-1-0-5.vlan500.ens4")]
    [TestCase("255.255.255.255", "255-255-255-255.vlan500.ens4")]
    [TestCase("fd00::1:a", "fd00-0000-0000-0000-0000-0000-0001-000a.vlan500.ens4")]
    [TestCase("64:ff9b::", "0064-ff9b-0000-0000-0000-0000-0000-0000.vlan500.ens4")]
    public void One_spelling_there_and_back(string address, string name)
    {
        AllocationName.For(IPAddress.Parse(address), Vlan500).Should().Be(name);
        AllocationName.TryParse(name, out var parsed, out var segment).Should().BeTrue();
        parsed.Should().Be(IPAddress.Parse(address));
        segment.Should().Be("vlan500.ens4");

        AllocationName.TryParse(Encoding.UTF8.GetBytes(name), out var value, out var isIPv6, out var bytes).Should().BeTrue();
        CidrAddress.FromValue(value, isIPv6).Should().Be(IPAddress.Parse(address));
        Encoding.UTF8.GetString(bytes).Should().Be("vlan500.ens4");
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("10-1-0-5")]
    [TestCase("10-1-0-5.")]
    [TestCase(".vlan500.ens4")]
    [TestCase("10-1-0.x")]
    [TestCase("010-1-0-5.x")]
    [TestCase("10-1-0-256.x")]
    [TestCase("10-1-0-+5.x")]
    [TestCase("10-1-0-5-.x")]
    [TestCase("10-1-0-5x.x")]
    [TestCase("10.1.0.5.x")]
    [TestCase("10-1-0-\u0665.x")]
    [TestCase("fd00-0000-0000-0000-0000-0000-0001-000g.x")]
    [TestCase("fd00-0000-0000-0000-0000-0000-00010-00a.x")]
    [TestCase("fd00-0-0-0-0-0-1-a.x")]
    [TestCase("FD00-0000-0000-0000-0000-0000-0001-000a.x")]
    [TestCase("0000-0000-0000-0000-0000-ffff-0a01-0005.x")]
    public void Other_spellings_are_no_names(string? name)
    {
        AllocationName.TryParse(name, out _, out _).Should().BeFalse();
        AllocationName.TryParse(Encoding.UTF8.GetBytes(name ?? ""), out _, out _, out _).Should().BeFalse();
    }

    [Test]
    public void Two_addresses_or_segments_never_share_a_name_and_every_name_is_an_objects()
    {
        var addresses = Gen.OneOf(Gen.Byte.Array[4], Gen.Byte.Array[16]).Where(bytes => !new IPAddress(bytes).IsIPv4MappedToIPv6);
        var text = Gen.String[Gen.Char["ab0.-_A/:"], 1, 14];
        var networks = Gen.Select(text, text, Gen.Int[0, 3], Gen.Int[0, 3], Gen.Bool, Gen.Bool.Select(dynamic => dynamic ? "ipvlan" : "bridge"))
            .Select((device, id, vlan, vxlan, pool, type) => NetworkTests.Make(
                new NetworkOptions { HostDevice = pool ? null : device, DevicePool = device, Vlan = vlan, Vxlan = vxlan }, id, type));

        Gen.Select(addresses, networks, addresses, networks).Sample((address, network, otherAddress, otherNetwork) =>
        {
            var (segment, otherSegment) = (Segment.Of(network), Segment.Of(otherNetwork));
            var name = AllocationName.For(new IPAddress(address), segment);
            var otherName = AllocationName.For(new IPAddress(otherAddress), otherSegment);
            var same = address.SequenceEqual(otherAddress) && segment.Text == otherSegment.Text;
            return Names.IsSubdomain(name)
                && (name == otherName) == same
                && (AllocationName.For(new IPAddress(address), otherSegment) == name) == (segment.Text == otherSegment.Text)
                && AllocationName.TryParse(name, out var parsed, out var parsedSegment)
                && parsed.Equals(new IPAddress(address)) && parsedSegment == segment.Name;
        });
    }
}
