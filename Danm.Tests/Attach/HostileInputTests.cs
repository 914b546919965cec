using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CsCheck;
using Danm.Api;
using Danm.Attach;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.FakeIpam;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;
using Danm.Tests.State;

namespace Danm.Tests.Attach;

/// <summary>
/// Whatever annotations, networks, configurations, journals and plugins say: it is used, or refused with an error that has a code of its
/// own, without a crash, a hang, or memory without bounds.
/// </summary>
public sealed class HostileInputTests
{
    private const long MaxAllocated = 96 << 20;

    private static readonly PodSandbox Sandbox = new(
        new Pod { Metadata = new ObjectMeta { Name = "amf-0", Namespace = "ns", Uid = "u" } }, "u", "c1", "c1", "/run/netns/danm-none", "node-1");

    private static readonly string[] Versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

    private string cniDir = "";

    [OneTimeSetUp]
    public void MakeCniDir()
    {
        cniDir = Directory.CreateTempSubdirectory("danm-cni-").FullName;
        File.WriteAllText(Path.Combine(cniDir, "good.conf"), """{"type":"bridge","ipam":{"type":"host-local"}}""");
        File.CreateSymbolicLink(Path.Combine(cniDir, "link.conf"), "/etc/shadow");
        Directory.CreateDirectory(Path.Combine(cniDir, "folder.conf"));
        using var mkfifo = Process.Start("mkfifo", Path.Combine(cniDir, "pipe.conf"));
        mkfifo.WaitForExit();
    }

    [OneTimeTearDown]
    public void RemoveCniDir() => Directory.Delete(cniDir, recursive: true);

    [Test]
    public Task An_annotation() => HoldsAsync(
        HostileJson.Of("""[{"network":"a","ip":"dynamic","ip6":"none","proutes":{"10.1.0.0/16":"10.0.0.1"}},{"clusterNetwork":"b","ip":"10.0.0.5","proutes6":{"fd00::/8":"fd00::1"}}]"""),
        annotation =>
        {
            var annotations = new Dictionary<string, string> { [ApiNames.InterfacesAnnotation] = annotation };
            var requests = PodInterfaces.Read(annotations, "ns");
            requests.Count.Should().BeLessThanOrEqualTo(64);
            if (requests.Count == 0)
                return;
            var networks = requests.Select(r => new Network
            {
                Kind = r.Network.Kind,
                Metadata = new ObjectMeta { Name = r.Network.Name, Namespace = r.Network.Namespace },
                Spec = new NetworkSpec { NetworkId = "mv", NetworkType = "macvlan", Options = new NetworkOptions { HostDevice = "ens4", Cidr = "10.0.0.0/24", RoutingTable = 7 } },
            }).ToList();
            Plan(requests, networks);
        });

    [Test]
    public Task A_network_object() => HoldsAsync(
        HostileJson.Of(
            """
            {"kind":"DanmNet","metadata":{"name":"n","namespace":"ns"},"spec":{"NetworkID":"n","NetworkType":"ipvlan","AllowedTenants":["ns"],"Options":{"host_device":"ens4","vlan":500,
             "cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.10","end":"10.0.0.20"},"routes":{"10.1.0.0/16":"10.0.0.1"},"net6":"fd00::/64","routes6":{"fd01::/64":"fd00::1"},
             "allocation_pool_v6":{"cidr":"fd00::/64","start":"fd00::10","end":"fd00::20"},"container_prefix":"ext","rt_tables":7,"mtu":1400}}}
            """,
            """{"metadata":{"name":"n","namespace":"ns"},"spec":{"NetworkID":"good","NetworkType":"bridge","Options":{"cidr":"10.0.0.0/24","net6":"fd00::/64"}}}"""),
        text =>
        {
            if (TryRead(text) is not { } network)
                return;
            (network.Kind, network.Metadata.Name, network.Metadata.Namespace) = (NetworkKind.DanmNet, "n", "ns");
            foreach (var fault in NetworkRules.Check(network))
                NoControls(fault.ToString());
            Plan([new AttachmentRequest(0, network.Ref, IPRequest.Dynamic, IPRequest.Dynamic, [], [])], [network]);
        });

    [Test]
    public Task The_configuration_of_a_runtime() => HoldsAsync(
        HostileJson.Of("""
            {"cniVersion":"1.1.0","name":"danm","type":"danm","kubeconfig":"/k","cniDir":"/c","namingScheme":"legacy","logLevel":"debug","logFile":"/l","timeoutSeconds":30,"nodeName":"n",
             "parallel":"others","vxlanFlooding":"unicast","prevResult":{"ips":[{"address":"10.0.0.1/8"}]},"runtimeConfig":{"mac":"m"},"cni.dev/valid-attachments":[{"containerID":"c","ifname":"eth0"}]}
            """),
        text =>
        {
            var conf = NetConfReader.Read(Bytes(text));
            conf.Timeout.Should().BeGreaterThan(TimeSpan.Zero).And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(600));
            if (conf.PrevResult is { } previous)
                CniResultReader.Read(previous, "prevResult");
        });

    [Test]
    public Task The_file_of_a_delegate() => HoldsAsync(
        HostileJson.Of(
            """{"cniVersion":"0.4.0","name":"br","type":"bridge","mtu":1.50,"capabilities":{"mac":true,"ips":false},"ipam":{"type":"dhcp"},"x":[1,{"y":"\u00e9"}]}""",
            """{"cniVersions":["1.0.0","1.1.0"],"name":"chain","disableCheck":true,"plugins":[{"type":"ptp","ipam":{}},{"type":"portmap","capabilities":{"portMappings":true}}]}"""),
        text =>
        {
            var list = NetworkListReader.Read(Bytes(text), "/etc/cni/net.d/br.conf");
            foreach (var ipam in Enum.GetValues<IpamSource>())
            {
                var called = new DelegatePlan(list, ipam, "{\"mac\":\"02:00:00:00:00:01\",\"portMappings\":[]}"u8.ToArray()).Compose([CidrAddress.Parse("10.0.0.5/24")]);
                foreach (var plugin in called.Plugins)
                    JsonDocument.Parse(plugin.Config, new JsonDocumentOptions { MaxDepth = CniJsonReader.MaxDepth + 1 }).Dispose();
                JsonSerializer.SerializeToUtf8Bytes(new SandboxRecord { Attachments = [new AttachmentRecord { Delegate = called }] }, StateJson.Default.SandboxRecord);
            }
        });

    [Test]
    public Task The_answer_of_a_delegate() => HoldsAsync(
        HostileJson.Of(
            """
            {"cniVersion":"1.1.0","interfaces":[{"name":"veth1","mac":"02:00:00:00:00:01"},{"name":"eth0","sandbox":"/run/netns/x","mtu":1400,"socketPath":"/s","pciID":"p"}],
             "ips":[{"interface":1,"address":"10.0.0.5/24","gateway":"10.0.0.1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1","mtu":1,"advmss":1,"priority":1,"table":7,"scope":0}],
             "dns":{"nameservers":["10.0.0.1"],"domain":"d","search":["s"],"options":["o"]}}
            """,
            """{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.5/24","gateway":"10.0.0.1","routes":[{"dst":"10.9.0.0/16"}]},"ip6":{"ip":"fd00::5/64"}}""",
            """{"cniVersion":"1.0.0","code":7,"msg":"no","details":"why"}"""),
        text =>
        {
            var failure = PluginException.From("bridge", new PluginCall("ADD", "c1", "eth0"), new PluginOutput(1, Bytes(text), "", TimeSpan.Zero));
            NoControls(failure.Message);
            failure.Message.Length.Should().BeLessThan(10_000);

            var result = CniResultReader.Read(Bytes(text), "the result of plugin 'bridge'");
            var complete = DelegateResult.Complete(result, "eth0", new CniInterface("eth0") { Sandbox = "/run/netns/x" });
            complete.Ips.Any(i => i.Interface is null || i.Interface < 0 || i.Interface >= complete.Interfaces.Count).Should().BeFalse();
            DelegateResult.AddressesOf(result, "eth0").Count.Should().BeLessThanOrEqualTo(result.Ips.Count);
            foreach (var version in Versions)
            {
                SpecVersion.TryParse(version, out var parsed).Should().BeTrue();
                JsonDocument.Parse(CniResultWriter.Write(complete, parsed)).Dispose();
            }
        });

    [Test]
    public Task The_configuration_that_fakeipam_gets() => HoldsAsync(
        HostileJson.Of("""{"cniVersion":"1.0.0","name":"mv","type":"macvlan","ipam":{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4},{"ipcidr":"fd00::5/64","version":6}]}}""",
            """
            {"cniVersion":"1.0.0","name":"mv","type":"macvlan","ipam":{"type":"fakeipam","network":"TenantNetwork/default/n","kubeconfig":"/etc/kubeconfig","timeoutSeconds":20,"nodeName":"node-1"},
             "args":{"cni":{"ips":["10.0.0.5/24"]}},"runtimeConfig":{"ips":["fd00::5/64"]}}
            """),
        text =>
        {
            FakeIpamConf.Read(Bytes(text));
            if (FakeIpamConf.ReadNetwork(Bytes(text)) is { } network)
                NoControls(NetworkName.Read(network, "default").ToString());
            RequestedAddresses.Of(new CniRequest { Command = CniCommand.Add, Config = NetConfReader.Read(Bytes(text), isForeign: true) });
        });

    [Test]
    public Task A_journal() => HoldsAsync(
        HostileJson.Of("""
            {"Version":1,"Phase":"Attached","BootId":"b","ConfigName":"danm","ContainerId":"c1","PodUid":"u","PodNamespace":"default","PodName":"amf-0","Netns":"/run/netns/danm-none","Args":"K8S_POD_NAME=amf-0",
             "Attachments":[{"Interface":"eth0","Network":"DanmNet/default/n","EndpointId":"e","Mac":"02:00:00:00:00:01","Addresses":["10.0.0.5/24"],"Routes":[{"Destination":"10.1.0.0/16","Gateway":"10.0.0.1","Table":254}],"Table":7,
               "Delegate":{"Name":"br","CniVersion":"1.0.0","Plugins":[{"Type":"bridge","Config":"{\"type\":\"bridge\"}"}],"Result":"{}"}},{"Interface":"net1","UnknownDelegate":"ptp"}],
             "Claims":[{"Kind":"IPAllocation","Name":"10-0-0-5.untagged.ens4","Uid":"x","EndpointId":"e"},{"Kind":"DanmEp","Name":"e","EndpointId":"e","MayComeAgain":true}],"Search":false}
            """.ReplaceLineEndings("")),
        text =>
        {
            using var state = new TemporaryState();
            Directory.CreateDirectory(Path.GetDirectoryName(state.Sandbox("x"))!);
            File.WriteAllText(state.Sandbox("u_c1"), text + "\n");
            File.SetUnixFileMode(state.Sandbox("u_c1"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            // Without folders of plugins nothing is run, and without an API server what is left is written down.
            var request = new CniRequest
            {
                Command = CniCommand.Del, ContainerId = "c1", IfName = "eth0", Config = new NetConf { Name = "danm", LogLevel = NetConfLogLevel.None },
            };
            new DelOperation(new NodeCall(request, state.Node), null).RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        },
        iterations: 800);

    private void Plan(IReadOnlyList<AttachmentRequest> requests, IReadOnlyList<Network> networks)
    {
        var request = new CniRequest
        {
            Command = CniCommand.Add, ContainerId = "c1", IfName = "eth0", Netns = "/run/netns/danm-none", Config = new NetConf { Name = "danm", CniVersion = SpecVersion.V1_0_0 },
        };
        foreach (var attachment in AttachmentPlanner.Plan(Sandbox, requests, networks, DelegateFile.ReadAll(networks, cniDir), request))
        {
            attachment.Interface.Length.Should().BeInRange(1, 15);
            attachment.Interface.Should().NotContainAny("/", " ", "\0");
            JsonSerializer.SerializeToUtf8Bytes(new SandboxRecord { Attachments = [attachment.ToRecord()] }, StateJson.Default.SandboxRecord);
        }
    }

    // What is of a wrong type the reader of Pods tells as a fault of that object.
    private static Network? TryRead(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, ApiJson.Default.Network);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What is done with a text ends well, or as a failure whose kind is known: no fault of the program itself.</summary>
    private static Task HoldsAsync(Gen<string> texts, Action<string> use, int iterations = 3000) => Task.Run(() => texts.Sample(
        text =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                use(text);
            }
            catch (Exception e) when (e is CniException or NetworkFaultException or IOException)
            {
                var error = Errors.From(e);
                error.Code.Should().BeInRange(1, 200);
                var written = JsonDocument.Parse(CniErrorWriter.Write(error, SpecVersion.Newest)).RootElement;
                NoControls(written.GetProperty("msg").GetString()!);
            }

            (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(MaxAllocated);
        },
        iter: iterations)).WaitAsync(TimeSpan.FromMinutes(2));

    private static void NoControls(string text)
    {
        // A loop, and no assertion for each: there are many.
        foreach (var c in text)
        {
            if (char.IsControl(c) && c != '\n')
                Assert.Fail($"a control character in {JsonSerializer.Serialize(text)}");
        }
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
