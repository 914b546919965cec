using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danm.Tests.Kernel;

public sealed class GuestTests
{
    private Guest _guest = null!;

    [OneTimeSetUp]
    public async Task Boot()
    {
        var watch = Stopwatch.StartNew();
        _guest = await Guest.BootAsync();
        TestContext.Progress.WriteLine($"booted in {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [OneTimeTearDown]
    public async Task Halt()
    {
        if (_guest is not null)
            await _guest.DisposeAsync();
    }

    [Test]
    public async Task Gives_exit_code_output_and_error_of_a_command()
    {
        var result = await _guest.RunAsync("echo out; echo err >&2; (exit 3)");

        result.Should().Be(new GuestResult(3, "out\n", "err\n"));
    }

    [Test]
    public async Task Is_another_kernel_than_the_hosts()
    {
        var kernel = await _guest.ExpectAsync("cat /proc/sys/kernel/osrelease /proc/cpuinfo");

        kernel.Should().Contain("User Mode Linux");
        kernel.Should().NotStartWith(await File.ReadAllTextAsync("/proc/sys/kernel/osrelease"));
    }

    [TestCase("ipvlan", "link vec0 type ipvlan mode l2")]
    [TestCase("dummy", "type dummy")]
    [TestCase("vlan", "link vec0 type vlan id 500")]
    [TestCase("vrf", "type vrf table 100")]
    [TestCase("vxlan", "type vxlan id 700 dev vec0 dstport 4789 group 239.0.0.1")]
    [TestCase("macvlan", "link vec0 type macvlan mode bridge")]
    [TestCase("veth", "type veth peer name t9")]
    [TestCase("bridge", "type bridge")]
    public async Task Has_links_of_type(string kind, string definition)
    {
        // ipvlan and macvlan exclude each other on a parent: each goes before the next comes.
        var links = await _guest.ExpectAsync(
            $"ip link add t0 {definition} && ip -d link show type {kind} && ip link delete t0");

        links.Should().Contain("t0");
    }

    [Test]
    public async Task Pings_between_two_namespaces_over_ipvlan()
    {
        await _guest.ExpectAsync("""
            set -e
            ip link add parent type dummy
            ip link set parent up
            for n in 1 2; do
                ip netns add ping$n
                ip link add child$n link parent type ipvlan mode l2
                ip link set child$n netns ping$n name eth0
                ip -n ping$n address add 10.20.0.$n/24 dev eth0
                ip -n ping$n address add fd00:20::$n/64 dev eth0 nodad
                ip -n ping$n link set eth0 up
            done
            ip netns exec ping1 ping -c 1 -W 5 10.20.0.2
            ip netns exec ping1 ping -c 1 -W 5 fd00:20::2
            ip netns delete ping1
            ip netns delete ping2
            ip link delete parent
            """);
    }

    [Test]
    public async Task Reaches_a_server_in_the_test_process_over_IPv4_and_IPv6()
    {
        var payload = string.Concat(Enumerable.Repeat("0123456789abcdef", 64 * 1024));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.CreateBoundListenSocket = _guest.Bind);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.IPv6Any, 8080));
        await using var server = builder.Build();
        server.MapGet("/", () => payload);
        server.MapPost("/", async (HttpRequest request) => await new StreamReader(request.Body).ReadToEndAsync());
        await server.StartAsync();

        var shared = Path.Combine(_guest.SharedDirectory, "payload");
        await File.WriteAllTextAsync(shared, payload);
        var four = await _guest.ExpectAsync($"curl -sS --fail --max-time 15 http://{Guest.HostAddress}:8080/");
        var six = await _guest.ExpectAsync(
            $"curl -sS --fail --max-time 15 --data-binary @{shared} http://[{Guest.HostAddress6}]:8080/");

        four.Should().HaveLength(payload.Length);
        (four == payload).Should().BeTrue();
        (six == payload).Should().BeTrue();
    }

    [Test]
    [Repeat(50)]
    public async Task Listens_in_the_guests_network_only()
    {
        using var socket = _guest.Bind(new IPEndPoint(Guest.HostAddress, 0));
        socket.Listen();
        var port = ((IPEndPoint)socket.LocalEndPoint!).Port;

        // The same port is free here: the socket is elsewhere, and so is this process again.
        using var here = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        here.Bind(new IPEndPoint(IPAddress.Loopback, port));
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            if (new FileInfo(Path.Combine(task, "ns/net")).LinkTarget is { } space)
                space.Should().Be(new FileInfo("/proc/self/ns/net").LinkTarget);
        }
    }

    [Test]
    public async Task Puts_a_failed_commands_output_into_the_message()
    {
        var failing = () => _guest.ExpectAsync("echo before; ip link show nosuchlink; exit 7");

        (await failing.Should().ThrowAsync<GuestException>()).Which.Message.Should()
            .Contain("exit code 7").And.Contain("before").And.Contain("nosuchlink\" does not exist")
            .And.Contain("guest console");
    }

    [Test]
    public async Task Kills_a_command_and_its_children_when_its_time_is_up()
    {
        var watch = Stopwatch.StartNew();
        var endless = () => _guest.RunAsync("echo begun; sleep 4711 & sleep 4711", TimeSpan.FromSeconds(1));

        (await endless.Should().ThrowAsync<GuestTimeoutException>()).Which.Message.Should()
            .Contain("not done within 1 s").And.Contain("begun");
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(10));
        (await _guest.RunAsync("ps ax | grep '[s]leep 4711'")).Stdout.Should().BeEmpty();
    }

    [Test]
    public async Task Runs_commands_at_once()
    {
        var watch = Stopwatch.StartNew();
        var results = await Task.WhenAll(Enumerable.Range(1, 50).Select(n => _guest.RunAsync($"ip link show lo; echo {n}")));
        TestContext.Progress.WriteLine($"50 times ip link show at once: {watch.Elapsed.TotalSeconds:0.0} s");

        results.Select(r => r.Stdout.Split('\n')[^2]).Should().Equal(Enumerable.Range(1, 50).Select(n => n.ToString()));
        results.Should().OnlyContain(r => r.ExitCode == 0 && r.Stdout.Contains("LOOPBACK"));
    }

    [Test]
    public async Task Answers_quickly()
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 20; i++)
            await _guest.ExpectAsync("true");
        TestContext.Progress.WriteLine($"true: {watch.Elapsed.TotalMilliseconds / 20:0} ms");

        // Ten times what a quiet machine needs.
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task Sees_files_that_the_host_writes_and_rewrites_after_the_boot()
    {
        var file = Path.Combine(_guest.SharedDirectory, "changing");
        foreach (var text in (string[])["first", "second, and longer", "3rd"])
        {
            await File.WriteAllTextAsync(file, text);
            (await _guest.ExpectAsync($"cat {file}")).Should().Be(text);
        }

        await _guest.ExpectAsync($"echo from the guest > {file}");
        (await File.ReadAllTextAsync(file)).Should().Be("from the guest\n");
    }

    [Test]
    public async Task Executes_a_program_in_the_hosts_temporary_directory()
    {
        var directory = Directory.CreateTempSubdirectory("danm-test-");
        try
        {
            var program = Path.Combine(directory.FullName, "program");
            File.Copy("/bin/echo", program);
            (await _guest.ExpectAsync($"{program} here")).Should().Be("here\n");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Test]
    public async Task Leaves_the_hosts_files_alone()
    {
        var name = $"danm-{Guid.NewGuid():N}";

        await _guest.ExpectAsync($"""
            set -e
            for directory in /etc /var/lib /var/log /etc/cni /var/lib/cni /run /root; do echo x > $directory/{name}; done
            ip netns add {name}
            ! touch /usr/{name} /{name} 2>/dev/null
            """);

        string[] places = ["/etc", "/var/lib", "/var/log", "/etc/cni", "/var/lib/cni", "/run", "/run/netns", "/root", "/usr", "/"];
        places.Select(p => Path.Combine(p, name)).Should().NotContain(p => File.Exists(p));
        (await _guest.ExpectAsync("ls -A /etc/cni /var/lib/cni /var/log; ip netns delete " + name))
            .Split('\n').Where(l => l.Length > 0 && !l.EndsWith(':')).Should().AllBe(name);
    }
}
