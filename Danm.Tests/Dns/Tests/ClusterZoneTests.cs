using Danm.Tests.ApiServer;

namespace Danm.Tests.Dns.Tests;

/// <summary>What names a cluster has, as CoreDNS would say.</summary>
public sealed class ClusterZoneTests
{
    private const string Objects = """
        {kind: Namespace, metadata: {name: prod}}
        ---
        {kind: Service, metadata: {namespace: prod, name: db}, spec: {clusterIP: None, clusterIPs: [None], ports: [{name: sql, port: 5432, protocol: TCP}, {name: stats, port: 80, protocol: UDP}]}}
        ---
        kind: EndpointSlice
        metadata: {namespace: prod, name: db-1, labels: {kubernetes.io/service-name: db}}
        addressType: IPv4
        ports: [{name: sql, port: 5432, protocol: TCP}, {name: stats, port: 8080, protocol: UDP}]
        endpoints:
        - {addresses: [192.0.2.1], conditions: {ready: true}, hostname: db-0}
        - {addresses: [192.0.2.2], conditions: {}}
        - {addresses: [192.0.2.3], conditions: {ready: false}, hostname: db-3}
        ---
        kind: EndpointSlice
        metadata: {namespace: prod, name: db-2, labels: {kubernetes.io/service-name: db}}
        addressType: IPv4
        ports: [{name: sql, port: 5432, protocol: TCP}]
        endpoints: [{addresses: [192.0.2.1], hostname: db-0}, {addresses: [192.0.2.9]}]
        ---
        kind: EndpointSlice
        metadata: {namespace: prod, name: db-3, labels: {kubernetes.io/service-name: db}}
        addressType: IPv6
        ports: [{name: sql, port: 5432, protocol: TCP}]
        endpoints: [{addresses: ["2001:db8::1"], conditions: {ready: true}, hostname: db-0}, {addresses: ["2001:db8::2"]}]
        ---
        {kind: EndpointSlice, metadata: {namespace: prod, name: names, labels: {kubernetes.io/service-name: db}}, addressType: FQDN, ports: [], endpoints: [{addresses: [a.example.com]}]}
        ---
        {kind: Service, metadata: {namespace: prod, name: portless}, spec: {clusterIP: None, clusterIPs: [None]}}
        ---
        kind: EndpointSlice
        metadata: {namespace: prod, name: portless-1, labels: {kubernetes.io/service-name: portless}}
        addressType: IPv4
        ports: null
        endpoints: [{addresses: [192.0.2.7]}]
        ---
        {kind: Service, metadata: {namespace: prod, name: silent}, spec: {clusterIP: None, clusterIPs: [None], ports: [{port: 1}]}}
        ---
        {kind: EndpointSlice, metadata: {namespace: prod, name: silent-1, labels: {kubernetes.io/service-name: silent}}, addressType: IPv4, ports: null, endpoints: null}
        ---
        {kind: Service, metadata: {namespace: prod, name: web}, spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9, "fd00:10:96::9"], ports: [{name: http, port: 80, protocol: TCP}]}}
        ---
        kind: EndpointSlice
        metadata: {namespace: prod, name: web-1, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        ports: [{name: http, port: 8080, protocol: TCP}]
        endpoints: [{addresses: [192.0.2.8], hostname: web-0}]
        ---
        {kind: Service, metadata: {namespace: prod, name: four}, spec: {clusterIP: 10.96.0.4, clusterIPs: [10.96.0.4], ports: [{port: 80, protocol: TCP}]}}
        ---
        {kind: Service, metadata: {namespace: prod, name: away}, spec: {type: ExternalName, externalName: www.example.com}}
        ---
        {kind: Service, metadata: {namespace: prod, name: also}, spec: {type: ExternalName, externalName: web.prod.svc.cluster.local}}
        ---
        {kind: Service, metadata: {namespace: prod, name: loop}, spec: {type: ExternalName, externalName: loop.prod.svc.cluster.local}}
        ---
        {kind: Service, metadata: {namespace: gone, name: db}, spec: {clusterIP: 10.96.0.5, clusterIPs: [10.96.0.5], ports: [{port: 1, protocol: TCP}]}}
        """;

    private ClusterZone zone = null!;

    [SetUp]
    public void Fill()
    {
        zone = new ClusterZone();
        foreach (var item in Yaml.Documents(Objects))
            zone.Set(item);
    }

    // A headless Service is all that is ready behind it, once each, of the family that is asked for.
    [TestCase("db.prod.svc", DnsType.A, "192.0.2.1 192.0.2.2 192.0.2.9")]
    [TestCase("db.prod.svc", DnsType.Aaaa, "2001:db8::1 2001:db8::2")]
    [TestCase("DB.Prod.SVC", DnsType.A, "192.0.2.1 192.0.2.2 192.0.2.9")]
    [TestCase("db-0.db.prod.svc", DnsType.A, "192.0.2.1")]
    [TestCase("db-0.db.prod.svc", DnsType.Aaaa, "2001:db8::1")]
    [TestCase("192-0-2-2.db.prod.svc", DnsType.A, "192.0.2.2")]
    [TestCase("192-0-2-2.db.prod.svc", DnsType.Aaaa, "NoError")]
    [TestCase("2001-db8--2.db.prod.svc", DnsType.Aaaa, "2001:db8::2")]
    [TestCase("192-0-2-1.db.prod.svc", DnsType.A, "NoSuchName")]
    [TestCase("db-3.db.prod.svc", DnsType.A, "NoSuchName")]
    [TestCase("portless.prod.svc", DnsType.A, "192.0.2.7")]
    [TestCase("portless.prod.svc", DnsType.Aaaa, "NoError")]
    [TestCase("silent.prod.svc", DnsType.A, "NoSuchName")]
    // SRV: every port of every endpoint, or those of one name and protocol.
    [TestCase("_sql._tcp.db.prod.svc", DnsType.Srv, "5432 db-0.db 5432 192-0-2-2.db 5432 192-0-2-9.db 5432 2001-db8--2.db")]
    [TestCase("_stats._udp.db.prod.svc", DnsType.Srv, "8080 db-0.db 8080 192-0-2-2.db")]
    [TestCase("_sql._udp.db.prod.svc", DnsType.Srv, "NoSuchName")]
    [TestCase("db.prod.svc", DnsType.Srv, "5432 db-0.db 8080 db-0.db 5432 192-0-2-2.db 8080 192-0-2-2.db 5432 192-0-2-9.db 5432 2001-db8--2.db")]
    [TestCase("db-0.db.prod.svc", DnsType.Srv, "5432 db-0.db 8080 db-0.db")]
    [TestCase("portless.prod.svc", DnsType.Srv, "NoError")]
    // A Service with addresses is those, whatever stands behind it; its endpoints have names too.
    [TestCase("web.prod.svc", DnsType.A, "10.96.0.9")]
    [TestCase("web.prod.svc", DnsType.Aaaa, "fd00:10:96::9")]
    [TestCase("_http._tcp.web.prod.svc", DnsType.Srv, "80 web")]
    [TestCase("web-0.web.prod.svc", DnsType.A, "192.0.2.8")]
    [TestCase("web-0.web.prod.svc", DnsType.Srv, "8080 web-0.web")]
    [TestCase("four.prod.svc", DnsType.Aaaa, "NoError")]
    [TestCase("_http._tcp.four.prod.svc", DnsType.Srv, "NoSuchName")]
    // Aliases.
    [TestCase("away.prod.svc", DnsType.A, "www.example.com.")]
    [TestCase("away.prod.svc", DnsType.Cname, "www.example.com.")]
    [TestCase("away.prod.svc", DnsType.Srv, "NoError")]
    [TestCase("also.prod.svc", DnsType.A, "web 10.96.0.9")]
    [TestCase("loop.prod.svc", DnsType.A, "NoError")]
    // What there is, what there could be, and what is none of ours.
    [TestCase("db.prod.svc", (DnsType)16, "NoError")]
    [TestCase("none.prod.svc", DnsType.A, "NoSuchName")]
    [TestCase("prod.svc", DnsType.A, "NoError")]
    [TestCase("gone.svc", DnsType.A, "NoSuchName")]
    [TestCase("db.gone.svc", DnsType.A, "NoSuchName")]
    [TestCase("svc", DnsType.A, "NoError")]
    [TestCase("a.b.c.db.prod.svc", DnsType.A, "NoSuchName")]
    [TestCase("192-0-2-1.prod.pod", DnsType.A, "NoSuchName")]
    public void Says_what_a_name_is(string name, DnsType type, string expected) =>
        Ask($"{name}.cluster.local", type).Should().BeEquivalentTo(expected.Split(' '));

    [TestCase("cluster.local", "NoError")]
    [TestCase("example.com", "Refused")]
    [TestCase("db.prod.svc.cluster.local.example.com", "Refused")]
    public void Knows_its_own_zone_alone(string name, string code) => Ask(name, DnsType.A).Should().Equal(code);

    [Test]
    public void Places_come_with_their_addresses()
    {
        var reply = zone.Answer(Query("_sql._tcp.db.prod.svc.cluster.local", DnsType.Srv));
        reply.Additional.OfType<AddressRecord>().Select(r => $"{r.Name.Labels[0]} {r.Address}").Should().BeEquivalentTo(
            "db-0 192.0.2.1", "db-0 2001:db8::1", "192-0-2-2 192.0.2.2", "192-0-2-9 192.0.2.9", "2001-db8--2 2001:db8::2");
        reply.Answers.OfType<ServiceRecord>().Should().OnlyContain(r => r.Priority == 0 && r.Weight == 16 && r.Lifetime == 5);
    }

    [Test]
    public void What_is_not_there_says_how_long_that_holds() =>
        zone.Answer(Query("none.prod.svc.cluster.local", DnsType.A)).Authority.Should().ContainSingle().Which.Lifetime.Should().Be(5);

    [Test]
    public void Changes_with_its_objects()
    {
        var slice = Yaml.Documents(Objects).Single(o => o.At("metadata", "name").String() == "db-1");
        slice["endpoints"]!.AsArray().RemoveAt(0);
        zone.Set(slice);
        Ask("db.prod.svc.cluster.local", DnsType.A).Should().BeEquivalentTo("192.0.2.1", "192.0.2.2", "192.0.2.9");
        foreach (var name in (string[])["db-1", "db-2"])
            zone.Remove(Yaml.Documents(Objects).Single(o => o.At("metadata", "name").String() == name));
        Ask("db.prod.svc.cluster.local", DnsType.A).Should().Equal("NoError");
        zone.Remove(Yaml.Documents(Objects).First(o => o.At("metadata", "name").String() == "db"));
        Ask("db.prod.svc.cluster.local", DnsType.A).Should().Equal("NoSuchName");
    }

    private static DnsQuery Query(string name, DnsType type) => new(1, false, DnsName.Parse(name), type);

    /// <summary>Names below prod.svc.cluster.local without that.</summary>
    private string[] Ask(string name, DnsType type)
    {
        var reply = zone.Answer(Query(name, type));
        return reply.Answers.Count == 0 ? [reply.Code.ToString()] : [.. reply.Answers.SelectMany(a => a switch
        {
            AddressRecord address => [$"{address.Address}"],
            AliasRecord alias => [Short(alias.Target)],
            ServiceRecord service => (string[])[$"{service.Port}", Short(service.Target)],
            _ => throw new NotSupportedException($"{a}"),
        })];

        static string Short(DnsName target) => target.ToString().Replace(".prod.svc.cluster.local.", "");
    }
}
