using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Danm.Tests.Kernel;

/// <summary>Opens sockets in another network namespace, where they stay: the thread that uses one does not matter.</summary>
internal static partial class NamespaceSocket
{
    private const int CloneNewNet = 0x40000000;
    private const int CloseOnExec = 0x80000;

    /// <summary>A TCP socket of the namespace at <paramref name="path"/>, neither bound nor connected.</summary>
    /// <exception cref="Win32Exception">The namespace is gone, or this process may not enter it.</exception>
    public static Socket OpenTcp(string path, AddressFamily family) => Open(path, family, 1 /* SOCK_STREAM */);

    /// <summary>A UDP socket of the namespace at <paramref name="path"/>, neither bound nor connected.</summary>
    /// <exception cref="Win32Exception">The namespace is gone, or this process may not enter it.</exception>
    public static Socket OpenUdp(string path, AddressFamily family) => Open(path, family, 2 /* SOCK_DGRAM */);

    /// <summary>A listening TCP socket of the namespace at <paramref name="path"/>; the caller owns the descriptor.</summary>
    /// <exception cref="Win32Exception">The namespace is gone, or this process may not enter it.</exception>
    public static (int Descriptor, int Port) Listen(string path, IPAddress address, int port = 0)
    {
        using var socket = OpenTcp(path, address.AddressFamily);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen(64);
        return (Duplicate((int)socket.Handle), ((IPEndPoint)socket.LocalEndPoint!).Port);
    }

    private static Socket Open(string path, AddressFamily family, int type)
    {
        // The kernel's numbers; the enumeration has Windows' ones.
        var domain = family == AddressFamily.InterNetworkV6 ? 10 : 2;
        var descriptor = -1;
        var error = 0;

        // The thread goes home before it ends: the kernel's part of it outlives Join, and would be seen in the namespace still.
        var thread = new Thread(() =>
        {
            var home = OpenFile("/proc/thread-self/ns/net", CloseOnExec);
            var target = OpenFile(path, CloseOnExec);
            if (home >= 0 && target >= 0 && SetNamespace(target, CloneNewNet) == 0)
            {
                descriptor = NewSocket(domain, type | CloseOnExec, 0);
                error = Marshal.GetLastPInvokeError();
                _ = SetNamespace(home, CloneNewNet);
            }
            else
            {
                error = Marshal.GetLastPInvokeError();
            }

            foreach (var opened in (ReadOnlySpan<int>)[home, target])
            {
                if (opened >= 0)
                    _ = Close(opened);
            }
        });
        thread.Start();
        thread.Join();

        return descriptor < 0
            ? throw new Win32Exception(error, $"open a socket in {path}: {Marshal.GetPInvokeErrorMessage(error)}")
            : new Socket(new SafeSocketHandle(descriptor, ownsHandle: true));
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNamespace(int descriptor, int type);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int NewSocket(int domain, int type, int protocol);
}
