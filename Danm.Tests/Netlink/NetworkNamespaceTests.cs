using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

public class NetworkNamespaceTests
{
    [Test]
    public void Tells_namespaces_apart_by_identity()
    {
        using var a = new TemporaryNamespace();
        using var b = new TemporaryNamespace();
        using var again = NetworkNamespace.Open($"/run/netns/{a.Name}");
        using var own = NetworkNamespace.OpenCurrent();

        again.Identity.Should().Be(a.Namespace.Identity);
        new[] { a.Namespace.Identity, b.Namespace.Identity, own.Identity }.Should().OnlyHaveUniqueItems();
        File.ResolveLinkTarget("/proc/self/ns/net", false)!.Name.Should().Be($"net:[{own.Identity.Inode}]");
    }

    [TestCase("/run/netns/danm-no-such", 2, true)]
    [TestCase("/etc/passwd/x", 20, true)]
    [TestCase("/etc/passwd", 0, true)]
    [TestCase("/proc/self/ns/uts", 0, true)]
    [TestCase("/proc", 0, true)]
    public void Refuses_what_is_no_network_namespace(string path, int errno, bool gone)
    {
        var open = () => NetworkNamespace.Open(path);
        open.Should().Throw<NetworkNamespaceException>()
            .WithMessage($"open network namespace \"{path}\": *")
            .Which.Should().BeEquivalentTo(new { Errno = errno, IsGone = gone, Path = path });
    }

    [Test]
    public void What_is_no_namespace_is_not_even_opened()
    {
        var pipe = Path.Combine(Path.GetTempPath(), $"danm-{Guid.NewGuid():n}");
        using (var made = Process.Start("mkfifo", pipe))
            made.WaitForExit();
        // Who writes to a pipe waits until somebody opens its other end.
        using var writer = Process.Start("sh", ["-c", $"exec 3>{pipe}"]);
        try
        {
            for (var i = 0; i < 20 && !writer.WaitForExit(25); i++)
                FluentActions.Invoking(() => NetworkNamespace.Open(pipe)).Should().Throw<NetworkNamespaceException>().Which.IsGone.Should().BeTrue();
            writer.HasExited.Should().BeFalse("nobody opened the pipe");
        }
        finally
        {
            writer.Kill();
            writer.WaitForExit();
            File.Delete(pipe);
        }
    }

    [Test]
    public void Writes_kernel_parameters_inside_and_reports_those_it_cannot_write()
    {
        using var ns = new TemporaryNamespace();
        using var ip = ns.OpenRoute();
        ip.AddLink(new LinkSpec("net0.500", new LinkKind.Veth("b")));

        using var visit = ns.Namespace.Visit(
            VisitSockets.None,
            Sysctl.OfInterface(AddressFamily.InterNetworkV6, "net0.500", "accept_ra", "0"),
            Sysctl.OfInterface(AddressFamily.InterNetworkV6, "nosuch", "accept_ra", "0"),
            Sysctl.OfInterface(AddressFamily.InterNetworkV6, "net0.500", "mtu", "7"),
            Sysctl.OfInterface(AddressFamily.InterNetworkV6, "net0.500", "ndisc_notify", "1"),
            Sysctl.OfNamespace("ipv4", "igmp_max_memberships", "77"));

        visit.SysctlFailures.Select(f => f.ToString()).Should().Equal(
            "write net/ipv6/conf/nosuch/accept_ra=0: no such file or directory (ENOENT)",
            "write net/ipv6/conf/net0.500/mtu=7: invalid argument (EINVAL)");
        ns.Exec("cat", "/proc/sys/net/ipv6/conf/net0.500/accept_ra").Should().Be("0");
        ns.Exec("cat", "/proc/sys/net/ipv6/conf/net0.500/ndisc_notify").Should().Be("1");
        ns.Exec("cat", "/proc/sys/net/ipv4/igmp_max_memberships").Should().Be("77");
        File.ReadAllText("/proc/sys/net/ipv4/igmp_max_memberships").Trim().Should().NotBe("77");
        FluentActions.Invoking(() => visit.Route).Should().Throw<InvalidOperationException>();
    }

    [TestCase("../../../kernel", "hostname", "x")]
    [TestCase("a/b", "accept_ra", "0")]
    [TestCase("..", "accept_ra", "0")]
    [TestCase("eth0", "../x", "0")]
    [TestCase("eth0", "accept_ra", "0\n1")]
    [TestCase("eth0", "accept_ra", "")]
    public void Refuses_paths_and_values_that_lead_elsewhere(string name, string parameter, string value) =>
        FluentActions.Invoking(() => Sysctl.OfInterface(AddressFamily.InterNetworkV6, name, parameter, value)).Should().Throw<ArgumentException>();

    [Test]
    public void Opens_a_socket_that_listens_inside()
    {
        using var ns = new TemporaryNamespace();
        using (var ip = ns.OpenRoute())
            ip.SetLink(1, new LinkChange { Up = true });
        using var visit = ns.Namespace.Visit(VisitSockets.Stream);
        using var listener = new Socket(visit.Stream);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 8080));
        listener.Listen();

        using var second = ns.Namespace.Visit(VisitSockets.Stream);
        using var client = new Socket(second.Stream);
        client.Connect(IPAddress.Loopback, 8080);
        client.Connected.Should().BeTrue();
        using var outside = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        FluentActions.Invoking(() => outside.Connect(IPAddress.Loopback, 8080)).Should().Throw<SocketException>();
    }

    [Test]
    public void Leaves_no_thread_behind_in_a_namespace()
    {
        using var a = new TemporaryNamespace();
        using var b = new TemporaryNamespace();

        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
        {
            using var visit = (i % 2 == 0 ? a : b).Namespace.Visit(
                VisitSockets.Route | VisitSockets.Packet,
                Sysctl.OfInterface(AddressFamily.InterNetworkV6, "lo", "accept_ra", "0"));
            visit.Route.GetLink("lo").Should().NotBeNull();
            GC.KeepAlive(new byte[100_000]);
        });

        var own = File.ResolveLinkTarget("/proc/self/ns/net", false)!.Name;
        var tasks = Directory.GetDirectories("/proc/self/task");
        tasks.Should().HaveCountGreaterThan(2);
        foreach (var task in tasks)
        {
            // A thread may end while we look.
            if (TryReadNamespace(task) is { } found)
                found.Should().Be(own, task);
        }
    }

    [Test]
    public void Descriptors_do_not_leak()
    {
        using var ns = new TemporaryNamespace();
        Visit();
        var before = Directory.GetFiles("/proc/self/fd").Length;
        for (var i = 0; i < 200; i++)
            Visit();
        Directory.GetFiles("/proc/self/fd").Length.Should().BeLessThan(before + 50);

        void Visit()
        {
            using var visit = ns.Namespace.Visit(VisitSockets.Route | VisitSockets.Packet | VisitSockets.Stream);
        }
    }

    private static string? TryReadNamespace(string task)
    {
        try
        {
            return File.ResolveLinkTarget($"{task}/ns/net", false)?.Name;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
