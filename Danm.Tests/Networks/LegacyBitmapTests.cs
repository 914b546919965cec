using System.Net;
using CsCheck;
using Danm.Api;
using Danm.Networks;

namespace Danm.Tests.Networks;

/// <summary>Bitmaps as the original wrote them, and such as it never did.</summary>
public sealed class LegacyBitmapTests
{
    private static LegacyBitmap? IPv4(string? cidr, string? alloc) => LegacyBitmap.IPv4(NetworkTests.Make(new NetworkOptions { Cidr = cidr, Alloc = alloc }));

    private static LegacyBitmap? IPv6(string? poolCidr, string? alloc) => LegacyBitmap.IPv6(
        NetworkTests.Make(new NetworkOptions { Net6 = "fd00::/64", AllocationPoolV6 = new AllocationPoolV6 { Cidr = poolCidr }, Alloc6 = alloc }));

    [TestCase("10.0.0.0/29", "gQ==", "10.0.0.0 10.0.0.7")]
    [TestCase("10.0.0.0/29", "+Q==", "10.0.0.0 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.7")]
    [TestCase("10.0.0.0/29", "2Q==", "10.0.0.0 10.0.0.1 10.0.0.3 10.0.0.4 10.0.0.7")]
    [TestCase("10.0.0.0/30", "kA==", "10.0.0.0 10.0.0.3")]
    [TestCase("192.168.1.64/26", "gAAAAAAAAAE=", "192.168.1.64 192.168.1.127")]
    [TestCase("192.168.1.64/26", "ggAAAAAAAAE=", "192.168.1.64 192.168.1.70 192.168.1.127")]
    [TestCase("10.0.0.0/24", "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=", "10.0.0.0 10.0.0.255")]
    [TestCase("10.0.0.0/24", "wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE=", "10.0.0.0 10.0.0.1 10.0.0.255")]
    [TestCase("10.0.0.77/29", "gQ==", "10.0.0.72 10.0.0.79")]
    [TestCase("10.0.0.0/16", "gQ==", "10.0.0.0 10.0.0.7")]
    public void IPv4_bits_are_addresses(string cidr, string alloc, string addresses)
    {
        var bitmap = IPv4(cidr, alloc)!;

        bitmap.Addresses.Select(a => a.ToString()).Should().Equal(addresses.Split(' '));
        bitmap.Addresses.Should().OnlyContain(a => bitmap.Contains(a));
        bitmap.Contains(IPAddress.Parse("10.0.0.6")).Should().BeFalse();
        bitmap.Contains(IPAddress.Parse("10.1.0.0")).Should().BeFalse();
        bitmap.Contains(IPAddress.Parse("fd00::")).Should().BeFalse();
    }

    [Test]
    public void IPv6_bits_count_from_the_pools_own_subnet()
    {
        IPv6("fd00::1:0/126", "kA==")!.Addresses.Should().Equal(IPAddress.Parse("fd00::1:0"), IPAddress.Parse("fd00::1:3"));
        IPv6("fd00::1:2/126", "kA==")!.Subnet.ToString().Should().Be("fd00::1:0/126");
    }

    [Test]
    public void The_largest_bitmap_that_the_original_made_is_read()
    {
        var bytes = new byte[LegacyBitmap.MaxBytes];
        bytes[0] = 0x80;
        bytes[^1] = 0x01;
        var text = Convert.ToBase64String(bytes);
        text.Should().HaveLength(1_398_104);

        IPv6("fd00::/105", text)!.Addresses.Should().Equal(IPAddress.Parse("fd00::"), IPAddress.Parse("fd00::7f:ffff"));
        IPv4("10.0.0.0/9", text)!.Addresses.Should().Equal(IPAddress.Parse("10.0.0.0"), IPAddress.Parse("10.127.255.255"));
    }

    [Test]
    public void Every_set_bit_and_no_other_is_an_address() =>
        Gen.Select(Gen.Byte.Array[1, 64], Gen.Int[0, 600]).Sample((bytes, place) =>
        {
            var bitmap = IPv4("10.0.0.0/22", Convert.ToBase64String(bytes))!;
            var expected = Enumerable.Range(0, bytes.Length * 8).Where(i => (bytes[i / 8] & (1 << (7 - (i % 8)))) != 0).ToArray();
            return bitmap.Addresses.Select(a => { var b = a.GetAddressBytes(); return (b[2] * 256) + b[3]; }).SequenceEqual(expected)
                && bitmap.Contains(new IPAddress([10, 0, (byte)(place / 256), (byte)(place % 256)])) == expected.Contains(place);
        });

    [TestCase(null)]
    [TestCase("")]
    public void No_bitmap_is_none(string? alloc)
    {
        IPv4("10.0.0.0/24", alloc).Should().BeNull();
        IPv4(null, alloc).Should().BeNull();
        IPv6(null, alloc).Should().BeNull();
    }

    [TestCase("10.0.0.0/24", "gQ", "spec.Options.alloc: \"gQ\" must be base64*")]
    [TestCase("10.0.0.0/24", "gQ=", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/24", "gQ==\n", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/24", "g Q==", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/24", "gQ==gQ==", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/24", "g_==", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/24", "\u001b[2J", "spec.Options.alloc: \"\\u001b[2J\" must be base64*")]
    [TestCase("10.0.0.0/24", "ｇＱ＝＝", "spec.Options.alloc*must be base64*")]
    [TestCase("10.0.0.0/29", "gQA=", "spec.Options.alloc*has bits beyond the subnet 10.0.0.0/29")]
    [TestCase("10.0.0.0/30", "mA==", "spec.Options.alloc*has bits beyond the subnet 10.0.0.0/30")]
    [TestCase("10.0.0.0/32", "wA==", "spec.Options.alloc*has bits beyond the subnet 10.0.0.0/32")]
    [TestCase("10.0.0.0/24", "gAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA", "spec.Options.alloc*has bits beyond the subnet 10.0.0.0/24")]
    [TestCase(null, "gQ==", "spec.Options.cidr: must be an IPv4 subnet*")]
    [TestCase("10.0.0.0", "gQ==", "spec.Options.cidr: \"10.0.0.0\" must be an IPv4 subnet*")]
    [TestCase("fd00::/64", "gQ==", "spec.Options.cidr*must be an IPv4 subnet*")]
    public void What_the_original_never_wrote_is_a_fault(string? cidr, string alloc, string message) =>
        FluentActions.Invoking(() => IPv4(cidr, alloc)).Should().Throw<NetworkFaultException>().WithMessage(message);

    [TestCase(null, "spec.Options.allocation_pool_v6.cidr: must be an IPv6 subnet*")]
    [TestCase("10.0.0.0/24", "spec.Options.allocation_pool_v6.cidr*must be an IPv6 subnet*")]
    [TestCase("fd00::/128", "spec.Options.alloc6*has bits beyond the subnet fd00::/128")]
    public void An_IPv6_bitmap_needs_its_pools_subnet(string? poolCidr, string message) =>
        FluentActions.Invoking(() => IPv6(poolCidr, "kA==")).Should().Throw<NetworkFaultException>().WithMessage(message);

    [Test]
    public void A_text_without_end_is_refused_before_it_is_decoded()
    {
        var read = () => IPv4("0.0.0.0/0", new string('A', 1_398_108));

        read.Should().Throw<NetworkFaultException>().WithMessage("*is longer than the 1048576 bytes*").Which.Message.Length.Should().BeLessThan(300);
    }
}
