using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.Dns;
using Danm.Tests.Dns.Tests;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>Why all this is done: a name that leads to the address on the right network, as a client asks for it.</summary>
[TestFixture, Parallelizable]
public sealed class NamesTests : SvcwatcherFixture
{
    [Test]
    public async Task The_name_of_a_headless_Service_leads_to_the_addresses_on_its_network()
    {
        const string Ports = """{"clusterIP":"None","ports":[{"name":"sip","port":5060,"protocol":"UDP"},{"name":"web","port":80,"targetPort":8080}]}""";
        Service("internal", Ports, ("danm.io/selector", """{"app":"db"}"""), ("danm.io/clusterNetwork", "internal"));
        Service("external", Ports, ("danm.io/selector", """{"app":"db"}"""), ("danm.io/clusterNetwork", "external"));
        Pod("db-0", ready: true, hostname: "db-0");
        Pod("db-1", ready: true);
        Pod("db-2", ready: false);
        for (var i = 0; i < 3; i++)
        {
            Interface($"i{i}", $"db-{i}", "internal", $"10.0.0.{i + 1}/24", $"fd00::{i + 1}/64");
            Interface($"e{i}", $"db-{i}", "external", $"192.0.2.{i + 1}/24");
        }

        await using var watcher = Start();
        await BecomesAsync("external", "192.0.2.1 db-0", "192.0.2.2 db-1", "192.0.2.3 db-2!");
        await BecomesAsync("internal", "10.0.0.1 db-0", "10.0.0.2 db-1", "10.0.0.3 db-2!", "fd00::1 db-0", "fd00::2 db-1", "fd00::3 db-2!");
        using var http = TestCluster.Client(Server.Url, Server.CertificateAuthority.Certificate, Server.AdminToken);
        await using var dns = await ClusterDns.StartAsync(http);

        (await AskAsync("internal", "A")).Should().BeEquivalentTo("10.0.0.1", "10.0.0.2");
        (await AskAsync("internal", "AAAA")).Should().BeEquivalentTo("fd00::1", "fd00::2");
        (await AskAsync("external", "A")).Should().BeEquivalentTo("192.0.2.1", "192.0.2.2");
        (await AskAsync("external", "AAAA")).Should().BeEmpty();
        (await AskAsync("db-0.internal", "A")).Should().Equal("10.0.0.1");
        (await AskAsync("db-0.external", "A")).Should().Equal("192.0.2.1");
        (await AskAsync("_sip._udp.external", "SRV")).Select(l => l.Split(' ')[2..]).Should().BeEquivalentTo(
            (string[][])[["5060", "db-0.external.default.svc.cluster.local."], ["5060", "192-0-2-2.external.default.svc.cluster.local."]]);
        (await AskAsync("_web._tcp.external", "SRV")).Should().OnlyContain(l => l.Contains(" 80 "), "a targetPort means nothing here");

        Ready("db-2", true);
        await BecomesAsync("external", "192.0.2.1 db-0", "192.0.2.2 db-1", "192.0.2.3 db-2");
        await Netwatcher.Eventually.HoldsAsync(async () => (await AskAsync("external", "A")).Should().HaveCount(3));

        Task<string[]> AskAsync(string name, string type) => Dig.AskAsync(dns.EndPoint, $"{name}.default.svc.cluster.local", type, "+short");
    }
}
