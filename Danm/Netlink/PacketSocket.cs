using System.Buffers.Binary;

namespace Danm.Netlink;

/// <summary>Sends single frames from an interface of the namespace in which it was opened (packet(7)). It receives nothing.</summary>
public sealed unsafe class PacketSocket : IDisposable
{
    // The kernel writes the Ethernet header, with the interface's own source address.
    internal const int SocketType = Native.SOCK_DGRAM | Native.SOCK_CLOEXEC;

    private readonly Descriptor _socket;

    internal PacketSocket(Descriptor socket) => _socket = socket;

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>Sends one frame.</summary>
    internal void Send(int linkIndex, ushort etherType, MacAddress destination, ReadOnlySpan<byte> payload, Operation operation)
    {
        // struct sockaddr_ll: family u16, protocol be16, ifindex i32, hatype u16, pkttype u8, halen u8, addr[8].
        Span<byte> address = stackalloc byte[20];
        address.Clear();
        BitConverter.TryWriteBytes(address, (ushort)Native.AF_PACKET);
        BinaryPrimitives.WriteUInt16BigEndian(address[2..], etherType);
        BitConverter.TryWriteBytes(address[4..], linkIndex);
        address[11] = MacAddress.Length;
        destination.CopyTo(address[12..]);
        fixed (byte* bytes = payload, addressBytes = address)
        {
            while (Native.sendto(_socket.Value, bytes, (nuint)payload.Length, 0, addressBytes, (uint)address.Length) < 0)
            {
                var errno = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                    throw new NetlinkException(errno, operation.ToString());
            }
        }
    }
}
