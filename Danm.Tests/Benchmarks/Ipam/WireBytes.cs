using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>
/// The bytes that this process has exchanged with a server, as the kernel counts them on its open connections (tcp(7), TCP_INFO):
/// TLS and HTTP/2 included, TCP's own headers not.
/// </summary>
internal static partial class WireBytes
{
    private const int ProtocolTcp = 6;
    private const int TcpInfo = 11;

    // struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
    private const int Acked = 120;
    private const int Received = 128;

    /// <param name="port">The server's.</param>
    public static long Exchanged(int port)
    {
        var sum = 0L;
        Span<byte> info = stackalloc byte[256];
        Span<byte> peer = stackalloc byte[128];
        foreach (var entry in Directory.EnumerateFiles("/proc/self/fd"))
        {
            var descriptor = int.Parse(Path.GetFileName(entry));
            var length = peer.Length;
            // sockaddr_in and sockaddr_in6 both have the port after the family.
            if (GetPeerName(descriptor, ref MemoryMarshal.GetReference(peer), ref length) != 0 || BinaryPrimitives.ReadUInt16BigEndian(peer[2..]) != port)
                continue;
            length = info.Length;
            if (GetSockOpt(descriptor, ProtocolTcp, TcpInfo, ref MemoryMarshal.GetReference(info), ref length) == 0 && length >= Received + 8)
                sum += BitConverter.ToInt64(info[Acked..]) + BitConverter.ToInt64(info[Received..]);
        }

        return sum;
    }

    [LibraryImport("libc", EntryPoint = "getpeername")]
    private static partial int GetPeerName(int socket, ref byte address, ref int length);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    private static partial int GetSockOpt(int socket, int level, int name, ref byte value, ref int length);
}
