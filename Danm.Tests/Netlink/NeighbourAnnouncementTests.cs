using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

public class NeighbourAnnouncementTests
{
    private const string Mac = "02000000000a";

    [TestCase("10.0.0.5", "ffffffffffff" + Mac + "0806"
        + "0001" + "0800" + "06" + "04" + "0001" + Mac + "0a000005" + "000000000000" + "0a000005")]
    [TestCase("fd00::5", "333300000001" + Mac + "86dd"
        + "60000000" + "0020" + "3a" + "ff" + "fd000000000000000000000000000005" + "ff020000000000000000000000000001"
        + "8800" + "CCCC" + "20000000" + "fd000000000000000000000000000005" + "0201" + Mac)]
    public void Arrives_at_the_other_end(string address, string expected)
    {
        using var ns = new TemporaryNamespace();
        using var visit = ns.Namespace.Visit(VisitSockets.Route | VisitSockets.Packet);
        MacAddress.TryParse("02:00:00:00:00:0a", out var mac).Should().BeTrue();
        visit.Route.AddLink(new LinkSpec("eth0", new LinkKind.Veth("peer")) { Address = mac, Up = true });
        visit.Route.SetLink(visit.Route.GetLink("peer")!.Index, new LinkChange { Up = true });
        var eth0 = visit.Route.GetLink("eth0")!;
        using var capture = Capture(ns);

        NeighbourAnnouncement.Send(visit.Packet, eth0.Index, eth0.Address!.Value, IPAddress.Parse(address));

        var frame = Receive(capture, expected[24..28], expected[..24]);
        if (expected.Contains("CCCC"))
        {
            Verifies(Convert.FromHexString(frame)[14..]).Should().BeTrue("the checksum is right");
            expected = expected.Replace("CCCC", frame.Substring(expected.IndexOf("CCCC", StringComparison.Ordinal), 4));
        }

        frame.Should().Be(expected);
    }

    [Test]
    public void Fails_on_an_interface_that_is_down()
    {
        using var ns = new TemporaryNamespace();
        using var visit = ns.Namespace.Visit(VisitSockets.Route | VisitSockets.Packet);
        visit.Route.AddLink(new LinkSpec("eth0", new LinkKind.Veth("peer")));
        var eth0 = visit.Route.GetLink("eth0")!;
        var send = () => NeighbourAnnouncement.Send(visit.Packet, eth0.Index, eth0.Address!.Value, IPAddress.Parse("10.0.0.5"));
        send.Should().Throw<NetlinkException>().WithMessage("announce address \"10.0.0.5\": network is down (ENETDOWN)");
    }

    /// <summary>The one's complement sum over pseudo header and message, checksum included, is all ones (RFC 1071).</summary>
    private static bool Verifies(byte[] packet)
    {
        byte[] covered = [.. packet[8..40], 0, 0, 0, (byte)(packet.Length - 40), 0, 0, 0, 58, .. packet[40..]];
        var sum = 0u;
        for (var i = 0; i < covered.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(covered.AsSpan(i));
        return (sum & 0xffff) + (sum >> 16) == 0xffff;
    }

    /// <summary>A raw packet socket of the namespace that sees every frame.</summary>
    private static unsafe Descriptor Capture(TemporaryNamespace ns)
    {
        const int ethPAllBigEndian = 0x0300;
        var fd = -1;
        var thread = new Thread(() =>
        {
            if (Native.setns(ns.Namespace.Descriptor, Native.CLONE_NEWNET) == 0)
                fd = Native.socket(Native.AF_PACKET, Native.SOCK_RAW | Native.SOCK_CLOEXEC, ethPAllBigEndian);
        });
        thread.Start();
        thread.Join();
        fd.Should().BeGreaterThan(0);
        var timeout = stackalloc long[] { 2, 0 };
        Native.setsockopt(fd, Native.SOL_SOCKET, Native.SO_RCVTIMEO, timeout, 16).Should().Be(0);
        return new Descriptor(fd);
    }

    /// <summary>Waits for the frame with these addresses and type, among the kernel's own chatter, as it comes in at the peer.</summary>
    private static unsafe string Receive(Descriptor capture, string etherType, string addresses)
    {
        const byte outgoing = 4;
        var buffer = stackalloc byte[2048];
        var sender = stackalloc byte[20];
        for (var i = 0; i < 100; i++)
        {
            var length = 20u;
            var received = Native.recvfrom(capture.Value, buffer, 2048, 0, sender, &length);
            if (received < 0)
                break;
            var frame = Convert.ToHexStringLower(new ReadOnlySpan<byte>(buffer, (int)received));
            if (sender[10] != outgoing && frame.StartsWith(addresses + etherType, StringComparison.Ordinal))
                return frame;
        }

        Assert.Fail($"no frame {etherType} within 2 s, errno {Marshal.GetLastPInvokeError()}");
        return "";
    }
}
