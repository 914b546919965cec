using System.Net;
using System.Net.Sockets;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// The executable needs nothing of the host but its kernel: an ADD asks the API server all it has to from a root folder with hardly
/// anything in it, up to the interface (on the loopback interface, which can have no children: 109).
/// </summary>
[TestFixture, Parallelizable]
public sealed class ChrootTests
{
    private const string ServerName = "api.cluster.example";

    // Of a desktop and of a server: modules that a small root folder has not.
    private const string NameServiceSwitch = "hosts: mymachines resolve [!UNAVAIL=return] files mdns4_minimal [NOTFOUND=return] dns myhostname\n";

    private HostNode node = null!;
    private string root = null!;
    private Sandbox pod = null!;

    [SetUp]
    public async Task MakeRoot()
    {
        node = await HostNode.StartAsync(new ApiServerOptions { Hosts = [ServerName] });
        node.Server.Store.Create(Objects.Network("DanmNet", "net", """{"NetworkID":"net","Options":{"host_device":"lo","cidr":"10.1.0.0/24","net6":"fd00:1::/64"}}"""));
        pod = await node.StartPodAsync(Objects.Pod("pod", """[{"network":"net","ip":"dynamic","ip6":"dynamic"}]"""));
        root = node.PathOf("root");
        await node.ShellAsync($"""
            mkdir -p {root}/proc {root}/sys {root}/dev {root}/etc {root}/run/netns
            cp {DanmBinary.Path} {root}/danm
            mount -t proc proc {root}/proc
            mount -t sysfs sysfs {root}/sys
            for f in /dev/urandom {pod.Netns}; do touch {root}$f; mount --bind $f {root}$f; done
            """);
    }

    [TearDown]
    public async Task Stop()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    [Test]
    public async Task A_server_is_found_by_its_address()
    {
        await ExpectServedAsync("127.0.0.1");
    }

    [TestCase(null)]
    [TestCase(NameServiceSwitch)]
    public async Task A_server_is_found_by_its_name_in_the_hosts_file(string? nameServiceSwitch)
    {
        Write("etc/hosts", $"127.0.0.1 localhost\n127.0.0.1 {ServerName}\n");
        Write("etc/nsswitch.conf", nameServiceSwitch);
        await ExpectServedAsync(ServerName);
    }

    [TestCase(null)]
    [TestCase(NameServiceSwitch)]
    public async Task A_server_is_found_by_its_name_in_the_DNS(string? nameServiceSwitch)
    {
        var socket = NamespaceSocket.OpenUdp(node.NetworkPath, AddressFamily.InterNetwork);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 53));
        await using var dns = new DnsResponder(socket, ServerName, IPAddress.Loopback);
        Write("etc/resolv.conf", "nameserver 127.0.0.1\n");
        Write("etc/nsswitch.conf", nameServiceSwitch);
        await ExpectServedAsync(ServerName);
        dns.Asked.Should().BePositive();
    }

    [Test]
    public async Task The_hosts_own_name_service_modules_are_not_loaded()
    {
        // Hesiod's module is part of Debian's C library; it would be loaded if it were asked.
        var (nameServiceSwitch, hosts) = (node.WriteFile("nsswitch.conf", "hosts: hesiod files dns\n"), node.WriteFile("hosts", $"127.0.0.1 {ServerName}\n"));
        await node.ShellAsync($"mount --bind {nameServiceSwitch} /etc/nsswitch.conf && mount --bind {hosts} /etc/hosts");
        var call = pod.Call("ADD");
        call.Config["kubeconfig"] = node.WriteFile("kubeconfig", node.KubeconfigText(new KubeconfigOptions { Host = ServerName }));
        var trace = node.PathOf("trace");

        (await node.CallAsync(call, ["strace", "-f", "-o", trace, "-e", "trace=openat", DanmBinary.Path])).Failed(109);

        var opened = await File.ReadAllTextAsync(trace);
        opened.Should().Contain("\"/etc/hosts\"").And.NotContain("libnss_");
    }

    [Test]
    public async Task A_name_that_nobody_knows_is_told()
    {
        Write("etc/hosts", "127.0.0.1 localhost\n");
        (await AddAsync(ServerName)).Failed(11).Msg.Should().Contain("API server").And.Contain(ServerName);
    }

    private async Task ExpectServedAsync(string host)
    {
        (await AddAsync(host)).Failed(109);

        node.Server.Requests.All.Where(r => r.Verb == "create").Select(r => r.Resource).Should().BeEquivalentTo("ipallocations", "ipallocations", "danmeps");
        node.Server.Requests.All.Select(r => r.User).Distinct().Should().Equal("admin");
        node.Objects().Should().BeEmpty();
    }

    private Task<CniOutcome> AddAsync(string host)
    {
        Write("kubeconfig", node.KubeconfigText(new KubeconfigOptions { Host = host }));
        var call = pod.Call("ADD");
        call.Config["kubeconfig"] = "/kubeconfig";
        return node.CallAsync(call, ["chroot", root, "/danm"]);
    }

    private void Write(string file, string? content)
    {
        if (content is not null)
            node.WriteFile($"root/{file}", content);
    }
}
