using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using CsCheck;
using Danm.Cni;
using Danm.Netlink;
using FluentAssertions.Equivalency;

namespace Danm.Tests.Cni;

public class CniResultTests
{
    /// <summary>Has everything that a result can say.</summary>
    private static readonly CniResult Full = new()
    {
        Interfaces =
        [
            new CniInterface("eth0") { Mac = "02:00:00:00:00:01", Mtu = 1450, Sandbox = "/run/netns/a" },
            new CniInterface("ext1") { Mac = "02:00:00:00:00:02", Mtu = 9000, Sandbox = "/run/netns/a", PciId = "0000:3b:02.1", SocketPath = "/run/vhost/1" },
        ],
        Ips =
        [
            new CniIp(CidrAddress.Parse("10.0.0.5/24"), IPAddress.Parse("10.0.0.1"), 0),
            new CniIp(CidrAddress.Parse("fd00::5/64"), IPAddress.Parse("fd00::1"), 0),
            new CniIp(CidrAddress.Parse("192.168.7.9/32"), null, 1),
        ],
        Routes =
        [
            new CniRoute(CidrAddress.Parse("0.0.0.0/0"), IPAddress.Parse("10.0.0.1")) { Table = 254 },
            new CniRoute(CidrAddress.Parse("fd01::/48"), IPAddress.Parse("fd00::1")) { Mtu = 1400, AdvMss = 1360, Priority = 100 },
            new CniRoute(CidrAddress.Parse("10.9.0.0/16")) { Scope = 253 },
            new CniRoute(CidrAddress.Parse("10.20.0.0/24"), IPAddress.Parse("10.0.0.254")) { Table = 250 },
        ],
        Dns = new CniDns { Nameservers = ["10.96.0.10"], Domain = "cluster.local", Search = ["svc.cluster.local"], Options = ["ndots:5"] },
    };

    [TestCase("0.1.0")]
    [TestCase("0.2.0")]
    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public void Writes_each_version_as_its_specification_has_it(string version) =>
        Indented(CniResultWriter.Write(Full, Version(version))).Should().Be(Golden($"result-{version}.json"));

    [TestCase("0.1.0")]
    [TestCase("0.3.1")]
    [TestCase("1.1.0")]
    public void Leaves_out_what_is_empty(string version) =>
        Text(CniResultWriter.Write(new CniResult { Dns = new CniDns() }, Version(version))).Should().Be($$"""{"cniVersion":"{{version}}"}""" + "\n");

    [Test]
    public void Reads_back_the_newest_version_whole() =>
        CniResultReader.Read(CniResultWriter.Write(Full, SpecVersion.Newest), "the result").Should().BeEquivalentTo(Full, Exactly);

    [Test]
    public void A_round_trip_through_any_version_keeps_what_it_can_say() =>
        Gen.Select(Results, Gen.Int[0, 6]).Sample((result, index) =>
        {
            var version = Version(SpecVersion.Supported[index]);
            var read = CniResultReader.Read(CniResultWriter.Write(result, version), "the result");
            read.Should().BeEquivalentTo(Reduced(result, version), Exactly);
        }, iter: 300);

    [Test]
    public void Reads_what_Go_plugins_write()
    {
        const string Json = """
            {"cniVersion":"0.4.0","interfaces":[{"name":"veth1","mac":""},{"name":"eth0","sandbox":"/run/netns/a"}],
             "ips":[{"version":"4","interface":1,"address":"10.1.0.7/16","gateway":""},{"version":"6","address":"fd00::7/64"}],
             "routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0","gw":null}],"dns":{},"code":0}
            """;

        CniResultReader.Read(Encoding.UTF8.GetBytes(Json), "the result").Should().BeEquivalentTo(new CniResult
        {
            Interfaces = [new CniInterface("veth1"), new CniInterface("eth0") { Sandbox = "/run/netns/a" }],
            Ips = [new CniIp(CidrAddress.Parse("10.1.0.7/16"), null, 1), new CniIp(CidrAddress.Parse("fd00::7/64"))],
            Routes = [new CniRoute(CidrAddress.Parse("0.0.0.0/0")), new CniRoute(CidrAddress.Parse("::/0"))],
        }, Exactly);
    }

    [TestCase(-1)]
    [TestCase(1)]
    [TestCase(2147483647)]
    public void Forgets_an_index_of_no_interface(int index)
    {
        var json = $$"""{"interfaces":[{"name":"a"}],"ips":[{"address":"10.0.0.1/8","interface":{{index}}}]}""";

        CniResultReader.Read(Encoding.UTF8.GetBytes(json), "x").Ips[0].Interface.Should().BeNull();
    }

    [TestCase("", "the result of macvlan is empty")]
    [TestCase("panic: runtime error", "the result of macvlan is not valid JSON at line 1, byte 1")]
    [TestCase("[]", "the result of macvlan is not a JSON object")]
    [TestCase("{}x", "the result of macvlan is not valid JSON at line 1, byte 3")]
    [TestCase("""{"cniVersion":"3.0.0"}""", "the result of macvlan: cniVersion '3.0.0' is not supported")]
    [TestCase("""{"interfaces":{}}""", "the result of macvlan: interfaces is an object, not a list")]
    [TestCase("""{"interfaces":[null]}""", "the result of macvlan: interfaces 'null' is not an interface")]
    [TestCase("""{"interfaces":[{"mtu":-1}]}""", "the result of macvlan: interfaces: mtu '-1' is not a whole number from 0 to 4294967295")]
    [TestCase("""{"ips":[{}]}""", "the result of macvlan: ips: address is missing")]
    [TestCase("""{"ips":[{"address":"10.0.0.300/24"}]}""", "the result of macvlan: ips: address '10.0.0.300/24' is not an IP address with a prefix length")]
    [TestCase("""{"ips":[{"address":"10.0.0.3"}]}""", "the result of macvlan: ips: address '10.0.0.3' is not an IP address with a prefix length")]
    [TestCase("""{"ips":[{"address":"10.0.0.3/8","gateway":"gw"}]}""", "the result of macvlan: ips: gateway 'gw' is not an IP address")]
    [TestCase("""{"ip4":{"gateway":"10.0.0.1"}}""", "the result of macvlan: ip4: ip is missing")]
    [TestCase("""{"routes":[{"gw":"10.0.0.1"}]}""", "the result of macvlan: routes: dst is missing")]
    [TestCase("""{"routes":[{"dst":"0.0.0.0/0","scope":256}]}""", "the result of macvlan: routes: scope '256' is not a whole number from 0 to 255")]
    [TestCase("""{"dns":{"search":"x"}}""", "the result of macvlan: dns: search is 'x', not a list")]
    public void Refuses_what_is_no_result(string json, string msg)
    {
        var error = FluentActions.Invoking(() => CniResultReader.Read(Encoding.UTF8.GetBytes(json), "the result of macvlan")).Should().Throw<CniException>().Which;

        error.Code.Should().Be(6);
        error.Msg.Should().Be(msg);
    }

    /// <summary>portmap without port mappings hands prevResult on through the reference library, so it must say what we said.</summary>
    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    public void The_reference_library_reads_our_results(string version)
    {
        const string Portmap = "/usr/lib/cni/portmap";
        if (!File.Exists(Portmap))
        {
            const string Reason = $"{Portmap} is missing: apt-get install containernetworking-plugins";
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail(Reason);
            Assert.Ignore(Reason);
        }

        var written = CniResultWriter.Write(Full, Version(version));
        var config = $$"""{"cniVersion":"{{version}}","name":"net","type":"portmap","prevResult":{{Text(written)}}}""";

        var start = new ProcessStartInfo(Portmap) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in TestPlugin.Environment("ADD", ("CNI_NETNS", "/proc/self/ns/net")))
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Write(config);
        process.StandardInput.Close();
        var answer = process.StandardOutput.ReadToEnd();

        CniResultReader.Read(Encoding.UTF8.GetBytes(answer), "portmap's result")
            .Should().BeEquivalentTo(Reduced(Full, Version(version)), Exactly, answer);
    }

    private static Gen<CniResult> Results
    {
        get
        {
            var name = Gen.String[Gen.Char.AlphaNumeric, 1, 15];
            var number = Gen.UInt.Nullable();
            var v4 = Gen.Select(Gen.UInt, Gen.Int[0, 32], (value, length) => new CidrAddress(CidrAddress.FromValue(value, ipv6: false), length));
            var v6 = Gen.Select(Gen.ULong, Gen.Int[0, 128], (value, length) => new CidrAddress(CidrAddress.FromValue(((UInt128)0xfd00 << 112) | value, ipv6: true), length));
            var cidr = Gen.OneOf(v4, v6);
            var gateway = Gen.OneOf(Gen.Const((IPAddress?)null), cidr.Select(address => (IPAddress?)address.Address));
            var interfaces = Gen.Select(name, name, number, (link, other, mtu) => new CniInterface(link) { Mac = other, Mtu = mtu, Sandbox = "/" + other, PciId = other }).List[1, 4];
            var ips = Gen.Select(cidr, gateway, (address, gw) => new CniIp(address, gw, 0)).List[0, 4];
            var routes = Gen.Select(cidr, gateway, number, Gen.OneOf(Gen.Const((uint?)null), Gen.Const((uint?)254), Gen.Const((uint?)7)), Gen.Byte.Nullable(), (dst, gw, n, table, scope) =>
                new CniRoute(dst, gw) { Mtu = n, AdvMss = n, Priority = n, Table = table, Scope = scope }).List[0, 4];
            var dns = Gen.Select(Gen.String[Gen.Char, 1, 20].Where(text => !text.Any(char.IsSurrogate)).List[0, 3], name, (texts, domain) =>
                (CniDns?)new CniDns { Nameservers = texts, Domain = domain, Search = texts, Options = texts });
            return Gen.Select(interfaces, ips, routes, dns, (i, a, r, d) => new CniResult { Interfaces = i, Ips = a, Routes = r, Dns = d });
        }
    }

    /// <summary>What is left of a result in a version, said in another way than the writer does.</summary>
    private static CniResult Reduced(CniResult result, SpecVersion version)
    {
        if (version == SpecVersion.V1_1_0)
            return result;
        var routes = result.Routes.Where(route => route.Table is null or 254).Select(route => new CniRoute(route.Destination, route.Gateway)).ToList();
        if (version >= SpecVersion.V0_3_0)
        {
            return result with
            {
                Interfaces = result.Interfaces.Select(link => new CniInterface(link.Name) { Mac = link.Mac, Sandbox = link.Sandbox }).ToList(),
                Routes = routes,
            };
        }

        var ips = new[] { false, true }
            .SelectMany(ipv6 => result.Ips.Where(ip => ip.Address.IsIPv6 == ipv6).Take(1))
            .Select(ip => ip with { Interface = null })
            .ToList();
        return result with
        {
            Interfaces = [],
            Ips = ips,
            Routes = ips.SelectMany(ip => routes.Where(route => route.Destination.IsIPv6 == ip.Address.IsIPv6)).ToList(),
        };
    }

    private static EquivalencyAssertionOptions<CniResult> Exactly(EquivalencyAssertionOptions<CniResult> options) =>
        options.WithStrictOrdering().ComparingByValue<CidrAddress>().ComparingByValue<IPAddress>();

    private static SpecVersion Version(string text) => SpecVersion.TryParse(text, out var version) ? version : throw new ArgumentException(text);

    private static string Text(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    private static string Indented(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
            document.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static string Golden(string name, [CallerFilePath] string here = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "Golden", name));
}
