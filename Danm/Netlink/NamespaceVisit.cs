using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Danm.Netlink;

/// <summary>The sockets that a visit brings back.</summary>
[Flags]
public enum VisitSockets
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A <see cref="RouteSocket"/>.</summary>
    Route = 1,

    /// <summary>A <see cref="PacketSocket"/>.</summary>
    Packet = 2,

    /// <summary>An unbound TCP socket over IPv4, for a server that listens inside the namespace.</summary>
    Stream = 4,
}

/// <summary>A parameter that could not be written.</summary>
/// <param name="Sysctl">The parameter.</param>
/// <param name="Errno">The error number of errno(3); ENOENT (2) where the kernel lacks the parameter, as without IPv6.</param>
public readonly record struct SysctlFailure(Sysctl Sysctl, int Errno)
{
    /// <inheritdoc/>
    public override string ToString() => $"write {Sysctl}: {Netlink.Errno.Describe(Errno)}";
}

/// <summary>What a visit to a namespace brought back. Closing it closes those sockets.</summary>
public sealed unsafe class NamespaceVisit : IDisposable
{
    // Address space, not memory; the least that a just-in-time compiled thread is sure to live with.
    private const int StackSize = 256 * 1024;

    private const int NotTried = -1;

    private readonly int _target;
    private readonly int _home;
    private readonly VisitSockets _wanted;
    private readonly Sysctl[] _sysctls;
    private readonly int[] _sysctlErrnos;
    private int _enterErrno;
    private int _socketErrno;
    private int _routeFd = NotTried;
    private int _packetFd = NotTried;
    private int _streamFd = NotTried;
    private RouteSocket? _route;
    private PacketSocket? _packet;
    private SafeSocketHandle? _stream;

    private NamespaceVisit(int target, int home, VisitSockets wanted, ReadOnlySpan<Sysctl> sysctls)
    {
        _target = target;
        _home = home;
        _wanted = wanted;
        _sysctls = sysctls.ToArray();
        _sysctlErrnos = new int[sysctls.Length];
    }

    /// <summary>The route socket in the namespace.</summary>
    /// <exception cref="InvalidOperationException">The visit did not ask for it.</exception>
    public RouteSocket Route => _route ?? throw NotAsked(VisitSockets.Route);

    /// <summary>The packet socket in the namespace.</summary>
    /// <exception cref="InvalidOperationException">The visit did not ask for it.</exception>
    public PacketSocket Packet => _packet ?? throw NotAsked(VisitSockets.Packet);

    /// <summary>The TCP socket in the namespace.</summary>
    /// <exception cref="InvalidOperationException">The visit did not ask for it.</exception>
    public SafeSocketHandle Stream => _stream ?? throw NotAsked(VisitSockets.Stream);

    /// <summary>The parameters that could not be written, in the order they were given.</summary>
    public IReadOnlyList<SysctlFailure> SysctlFailures { get; private set; } = [];

    /// <inheritdoc/>
    public void Dispose()
    {
        _route?.Dispose();
        _packet?.Dispose();
        _stream?.Dispose();
    }

    internal static NamespaceVisit Run(NetworkNamespace target, NetworkNamespace home, VisitSockets wanted, ReadOnlySpan<Sysctl> sysctls)
    {
        var visit = new NamespaceVisit(target.Descriptor, home.Descriptor, wanted, sysctls);
        var thread = new Thread(visit.OnNamespaceThread, StackSize) { IsBackground = true };
        thread.UnsafeStart();
        thread.Join();
        GC.KeepAlive(target);
        visit.Conclude(target);
        return visit;
    }

    /// <summary>
    /// All that happens inside: system calls on memory made beforehand. The runtime makes its pool, timer and tiering threads from
    /// whatever thread happens to need one, and a thread made here would stay in the namespace for good. So nothing here
    /// allocates, locks, waits, completes a task, throws or logs.
    /// </summary>
    private void OnNamespaceThread()
    {
        if (Native.setns(_target, Native.CLONE_NEWNET) != 0)
        {
            _enterErrno = Marshal.GetLastPInvokeError();
            return;
        }

        if ((_wanted & VisitSockets.Route) != 0)
            _routeFd = OpenSocket(Native.AF_NETLINK, NetlinkChannel.SocketType, Native.NETLINK_ROUTE);
        if ((_wanted & VisitSockets.Packet) != 0)
            _packetFd = OpenSocket(Native.AF_PACKET, PacketSocket.SocketType, 0);
        if ((_wanted & VisitSockets.Stream) != 0)
            _streamFd = OpenSocket(Native.AF_INET, Native.SOCK_STREAM | Native.SOCK_CLOEXEC, 0);
        for (var i = 0; i < _sysctls.Length; i++)
            _sysctlErrnos[i] = Write(_sysctls[i].Path, _sysctls[i].Bytes);
        // Should this fail, the thread ends in a moment anyway.
        _ = Native.setns(_home, Native.CLONE_NEWNET);
    }

    private int OpenSocket(int family, int type, int protocol)
    {
        var fd = Native.socket(family, type, protocol);
        if (fd < 0 && _socketErrno == 0)
            _socketErrno = Marshal.GetLastPInvokeError();
        return fd;
    }

    private static int Write(byte[] path, byte[] value)
    {
        fixed (byte* pathBytes = path, valueBytes = value)
        {
            var fd = Native.open(pathBytes, Native.O_WRONLY | Native.O_CLOEXEC);
            if (fd < 0)
                return Marshal.GetLastPInvokeError();
            var errno = Native.write(fd, valueBytes, (nuint)value.Length) < 0 ? Marshal.GetLastPInvokeError() : 0;
            _ = Native.close(fd);
            return errno;
        }
    }

    /// <summary>Back on the caller's thread: descriptors become sockets, numbers become errors.</summary>
    private void Conclude(NetworkNamespace target)
    {
        if (_enterErrno != 0)
            throw new NetlinkException(_enterErrno, $"enter network namespace \"{target}\"");
        try
        {
            // Each takes its descriptor over, so that closing this visit closes all that were opened.
            _packet = _packetFd >= 0 ? new PacketSocket(new Descriptor(_packetFd)) : null;
            _stream = _streamFd >= 0 ? new SafeSocketHandle(_streamFd, ownsHandle: true) : null;
            _route = _routeFd >= 0 ? new RouteSocket(new NetlinkChannel(new Descriptor(_routeFd))) : null;
            if (_socketErrno != 0)
                throw new NetlinkException(_socketErrno, $"open socket in network namespace \"{target}\"");
        }
        catch
        {
            Dispose();
            throw;
        }

        List<SysctlFailure>? failures = null;
        for (var i = 0; i < _sysctlErrnos.Length; i++)
        {
            if (_sysctlErrnos[i] != 0)
                (failures ??= []).Add(new SysctlFailure(_sysctls[i], _sysctlErrnos[i]));
        }

        SysctlFailures = failures ?? SysctlFailures;
    }

    private static InvalidOperationException NotAsked(VisitSockets socket) => new($"the visit did not ask for a {socket} socket");
}
