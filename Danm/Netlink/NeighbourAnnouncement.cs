using System.Buffers.Binary;
using System.Net;

namespace Danm.Netlink;

/// <summary>
/// Tells the neighbours on a link where an address lives now, so that none goes on sending to its former owner:
/// an ARP announcement for IPv4, an unsolicited neighbour advertisement for IPv6.
/// </summary>
public static class NeighbourAnnouncement
{
    private const ushort EtherTypeArp = 0x0806, EtherTypeIPv4 = 0x0800, EtherTypeIPv6 = 0x86dd;

    /// <summary>Announces an address, once. The interface must be up.</summary>
    /// <param name="socket">A socket of the interface's namespace.</param>
    /// <param name="linkIndex">The interface that has the address.</param>
    /// <param name="linkLayerAddress">The interface's MAC address.</param>
    /// <param name="address">The address.</param>
    /// <exception cref="NetlinkException">It could not be sent; ENETDOWN if the interface is down.</exception>
    public static void Send(PacketSocket socket, int linkIndex, MacAddress linkLayerAddress, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(socket);
        ArgumentNullException.ThrowIfNull(address);
        var operation = new Operation("announce address", address);
        if (WireAddress.Family(address) == Native.AF_INET)
        {
            Span<byte> arp = stackalloc byte[ArpLength];
            WriteArp(arp, linkLayerAddress, address);
            socket.Send(linkIndex, EtherTypeArp, Broadcast, arp, operation);
        }
        else
        {
            Span<byte> packet = stackalloc byte[AdvertisementPacketLength];
            WriteAdvertisement(packet, linkLayerAddress, address);
            socket.Send(linkIndex, EtherTypeIPv6, AllNodes, packet, operation);
        }
    }

    internal const int ArpLength = 28;
    internal const int AdvertisementPacketLength = IPv6HeaderLength + AdvertisementLength;

    private const int IPv6HeaderLength = 40;
    private const int AdvertisementLength = 32;

    private static MacAddress Broadcast => new([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

    /// <summary>ff02::1 on Ethernet (RFC 2464 section 7).</summary>
    private static MacAddress AllNodes => new([0x33, 0x33, 0, 0, 0, 1]);

    /// <summary>
    /// RFC 5227 section 3: an ARP request, broadcast, whose sender and target address are both the announced one:
    /// <c>hardware type 1, protocol 0x0800, lengths 6 and 4, operation 1, sender MAC, sender IP, target MAC 0, target IP</c>.
    /// </summary>
    internal static void WriteArp(Span<byte> arp, MacAddress sender, IPAddress address)
    {
        arp.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(arp, 1);
        BinaryPrimitives.WriteUInt16BigEndian(arp[2..], EtherTypeIPv4);
        arp[4] = MacAddress.Length;
        arp[5] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(arp[6..], 1);
        sender.CopyTo(arp[8..]);
        address.TryWriteBytes(arp[14..], out _);
        address.TryWriteBytes(arp[24..], out _);
    }

    /// <summary>
    /// RFC 4861 section 7.2.6: a neighbour advertisement to ff02::1 with the override flag and the target link-layer address
    /// option: <c>type 136, code 0, checksum, flags O, target address, option 2 of length 1, MAC</c>, under an IPv6 header with
    /// the hop limit 255 that receivers insist on (section 7.1.2).
    /// </summary>
    internal static void WriteAdvertisement(Span<byte> packet, MacAddress sender, IPAddress address)
    {
        packet.Clear();
        packet[0] = 6 << 4;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], AdvertisementLength);
        packet[6] = 58; // ICMPv6
        packet[7] = 255;
        address.TryWriteBytes(packet[8..], out _);
        packet[24] = 0xff;
        packet[25] = 0x02;
        packet[39] = 0x01;

        var advertisement = packet[IPv6HeaderLength..];
        advertisement[0] = 136;
        advertisement[4] = 0x20;
        address.TryWriteBytes(advertisement[8..], out _);
        advertisement[24] = 2;
        advertisement[25] = 1;
        sender.CopyTo(advertisement[26..]);
        BinaryPrimitives.WriteUInt16BigEndian(advertisement[2..], Checksum(packet));
    }

    /// <summary>
    /// RFC 4443 section 2.3 over RFC 8200 section 8.1: the one's complement sum of both addresses, the length, the next header and
    /// the message, whose checksum field is zero at that time.
    /// </summary>
    internal static ushort Checksum(ReadOnlySpan<byte> packet)
    {
        var sum = (uint)(packet.Length - IPv6HeaderLength) + packet[6];
        for (var rest = packet[8..]; rest.Length >= 2; rest = rest[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(rest);
        while (sum > ushort.MaxValue)
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
