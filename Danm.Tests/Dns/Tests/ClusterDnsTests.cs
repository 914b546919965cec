using System.Net;
using System.Net.Sockets;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.Kernel;
using Danm.Tests.Kube;

namespace Danm.Tests.Dns.Tests;

/// <summary>From an object that is written at the API server to what a client finds.</summary>
public sealed class ClusterDnsTests
{
    private const string Name = "db.default.svc.cluster.local";

    private EmbeddedCluster cluster = null!;

    [SetUp]
    public async Task Start()
    {
        cluster = await EmbeddedCluster.StartAsync();
        Write("""{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}}""");
        Write(Slice("db-4", "IPv4", "192.0.2.1"));
    }

    [TearDown]
    public async Task Stop() => await cluster.DisposeAsync();

    [Test]
    public async Task Follows_what_is_written()
    {
        await using var dns = await ClusterDns.StartAsync(cluster.Http);
        (await Dig.AskAsync(dns.EndPoint, Name, "+short")).Should().Equal("192.0.2.1");

        Write(Slice("db-6", "IPv6", "2001:db8::1", "db-0"));
        await Eventually.IsTrueAsync(() => dns.Ask(Name, DnsType.Aaaa).Answers.Count == 1);
        (await Dig.AskAsync(dns.EndPoint, Name, "AAAA", "+short")).Should().Equal("2001:db8::1");
        (await Dig.AskAsync(dns.EndPoint, $"_sql._tcp.{Name}", "SRV", "+short")).Should()
            .BeEquivalentTo("0 50 5432 192-0-2-1.db.default.svc.cluster.local.", "0 50 5432 db-0.db.default.svc.cluster.local.");

        var slice = cluster.Server.Store.Get("discovery.k8s.io/v1", "EndpointSlice", "default", "db-4")!;
        slice["endpoints"]![0]!["conditions"]!["ready"] = false;
        cluster.Server.Store.Update(slice);
        await Eventually.IsTrueAsync(() => dns.Ask(Name, DnsType.A).Answers.Count == 0);
        (await Dig.AskAsync(dns.EndPoint, Name, "+noall", "+comments")).Should().Contain(l => l.Contains("status: NOERROR")).And.Contain(l => l.Contains("ANSWER: 0"));

        cluster.Server.Store.Delete("v1", "Service", "default", "db");
        await Eventually.IsTrueAsync(() => dns.Ask(Name, DnsType.A).Code == DnsCode.NoSuchName);
        (await Dig.AskAsync(dns.EndPoint, Name, "+noall", "+comments")).Should().Contain(l => l.Contains("status: NXDOMAIN"));
    }

    [Test]
    public async Task Finds_what_it_missed_while_its_watch_was_away()
    {
        var gate = new TaskCompletionSource();
        cluster.Server.Faults.Add(new Fault(Fault.On("watch", "endpointslices")) { Count = 1, Hold = () => gate.Task, Answer = StatusException.Expired("too old resource version") });
        await using var dns = await ClusterDns.StartAsync(cluster.Http);
        cluster.Server.Store.Delete("discovery.k8s.io/v1", "EndpointSlice", "default", "db-4");
        Write(Slice("db-5", "IPv4", "192.0.2.5"));
        dns.Ask(Name, DnsType.A).Answers.OfType<AddressRecord>().Select(a => $"{a.Address}").Should().Equal("192.0.2.1");
        gate.SetResult();
        await Eventually.IsTrueAsync(() => dns.Ask(Name, DnsType.A).Answers is [AddressRecord { Address: var address }] && $"{address}" == "192.0.2.5");
    }

    [Test]
    public async Task Goes_on_when_its_watch_breaks()
    {
        await using var dns = await ClusterDns.StartAsync(cluster.Http);
        var broken = cluster.Server.Faults.Add(new Fault(Fault.On("watch", "endpointslices")) { Count = 2, DropBefore = true });
        await Eventually.IsTrueAsync(() => cluster.Server.Requests.All.Any(r => r is { Verb: "watch", Resource: "endpointslices" }));
        cluster.Server.Store.Delete("discovery.k8s.io/v1", "EndpointSlice", "default", "db-4");
        await Eventually.IsTrueAsync(() => dns.Ask(Name, DnsType.A).Code == DnsCode.NoSuchName, $"({broken.Hits} watches broke)");
    }

    /// <summary>The C library's resolver, in a place whose name server this is.</summary>
    [Test]
    public async Task The_C_library_finds_both_families()
    {
        Write(Slice("db-6", "IPv6", "2001:db8::1", "db-0"));
        await using var place = await PrivateNamespaces.StartAsync("""
            ip link set lo up
            # The library asks for a family only where the machine has an address of it, besides the loopback's own.
            ip addr add 192.0.2.15/32 dev lo
            ip addr add 2001:db8::f dev lo
            mount -t tmpfs none /mnt
            printf 'nameserver 127.0.0.1\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n' > /mnt/resolv.conf
            echo 'hosts: dns' > /mnt/nsswitch.conf
            mount --bind /mnt/resolv.conf "$(readlink -f /etc/resolv.conf)"
            mount --bind /mnt/nsswitch.conf /etc/nsswitch.conf
            """);
        var (datagrams, connections) = (NamespaceSocket.OpenUdp(place.NetworkPath, AddressFamily.InterNetwork), NamespaceSocket.OpenTcp(place.NetworkPath, AddressFamily.InterNetwork));
        foreach (var socket in (Socket[])[datagrams, connections])
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 53));
        connections.Listen();
        await using var dns = await ClusterDns.StartAsync(cluster.Http, datagrams, connections);

        var found = await place.RunAsync("getent ahosts db; getent hosts db-0.db; getent hosts none || echo code $?", TimeSpan.FromSeconds(30));

        found.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l.Contains("STREAM")).Select(l => l.Split(' ')[0]).Should().BeEquivalentTo("192.0.2.1", "2001:db8::1");
        found.Stdout.Should().MatchRegex(@"\n2001:db8::1 +db-0\.db\.default\.svc\.cluster\.local\n").And.Contain("code 2");
    }

    private static string Slice(string name, string family, string address, string? hostname = null) => $$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: {{name}}, labels: {kubernetes.io/service-name: db} }
        addressType: {{family}}
        ports: [{name: sql, port: 5432}]
        endpoints: [{addresses: ["{{address}}"], hostname: {{hostname}} }]
        """;

    private void Write(string yaml) => cluster.Server.Store.Create(Yaml.Documents(yaml).Single());
}
