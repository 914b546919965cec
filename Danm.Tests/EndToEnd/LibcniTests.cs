using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd;

/// <summary>The executable as runtimes drive it through libcni, in every version of the specification.</summary>
public sealed class LibcniTests : HostFixture
{
    private const string Bridge = """
        {"cniVersion":"0.4.0","name":"br-net","type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}
        """;

    private Recorder recorder = null!;

    [SetUp]
    public async Task CniDir()
    {
        recorder = new Recorder(Node);
        await recorder.InstallAsync();
        await Node.ShellAsync($$$"""
            rm -rf /run/cni /run/leases; mkdir /run/cni; ip link delete br0 2>/dev/null
            echo '{{{Bridge}}}' >/run/cni/br.conf
            echo '{"cniVersion":"1.1.0","name":"rec","type":"recorder","capabilities":{"portMappings":true}}' >/run/cni/rec.conf
            """);
        foreach (var (name, spec) in ((string, string)[])
            [
                ("mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""),
                ("br", """{"NetworkID":"br","NetworkType":"bridge"}"""),
                ("rec", """{"NetworkID":"rec","NetworkType":"recorder"}"""),
            ])
        {
            Node.Server.Store.Create(Objects.Network("DanmNet", name, spec));
        }
    }

    [Test]
    public async Task A_Pod_comes_lives_and_goes_in_version([Values("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")] string version)
    {
        var runtime = new LibcniDriver(Node, List(version));
        var pod = await PodAsync("a", """[{"network":"mv","ip":"dynamic"},{"network":"br"}]""");

        var result = (await runtime.AddAsync(pod)).Succeeded().Json;

        ((string)result["cniVersion"]!).Should().Be(version);
        var addresses = await pod.RunAsync("ip -o -4 address");
        if (version is "0.1.0" or "0.2.0")
        {
            addresses.Should().Contain((string)result["ip4"]!["ip"]!);
        }
        else
        {
            var names = result["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).ToList();
            result["ips"]!.AsArray().Select(i => names[(int)i!["interface"]!]).Should().Equal("eth0", "eth1");
            result["ips"]!.AsArray().Should().OnlyContain(i => addresses.Contains((string)i!["address"]!));
        }

        if (HasCheck(version))
            (await runtime.CheckAsync(pod)).Succeeded().Stdout.Should().BeEmpty();
        if (version == "1.1.0")
        {
            (await runtime.StatusAsync()).Succeeded().Stdout.Should().BeEmpty();
            (await runtime.GcAsync(pod)).Succeeded().Stdout.Should().BeEmpty();
            (await runtime.CheckAsync(pod)).Succeeded("GC keeps what is valid");
        }

        (await runtime.DelAsync(pod)).Succeeded().Stdout.Should().BeEmpty();
        (await runtime.DelAsync(pod)).Succeeded().Stdout.Should().BeEmpty();
        await ExpectNothingLeftAsync(pod);
    }

    // What a plugin behind danm makes of its result.
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    public async Task A_plugin_behind_danm_takes_its_result_up_in_version(string version)
    {
        var list = List(version);
        list["plugins"]!.AsArray().Add(JsonNode.Parse("""{"type":"tuning","sysctl":{"net.ipv4.conf.eth1.arp_filter":"1"}}"""));
        var runtime = new LibcniDriver(Node, list);
        var pod = await PodAsync("a", """[{"network":"mv","ip":"dynamic"},{"network":"br"}]""");

        (await runtime.AddAsync(pod)).Succeeded().Json["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).Should().Contain("eth0").And.Contain("eth1");

        (await pod.RunAsync("sysctl -n net.ipv4.conf.eth1.arp_filter")).Trim().Should().Be("1");
        if (HasCheck(version))
            (await runtime.CheckAsync(pod)).Succeeded();
        (await runtime.DelAsync(pod)).Succeeded();
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task Capability_arguments_reach_the_first_interfaces_plugin_and_every_later_call_of_it_has_the_same_configuration()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var pod = await PodAsync("a", """[{"network":"rec"},{"network":"rec"}]""");

        (await runtime.AddAsync(pod, (JsonObject)JsonNode.Parse("""{"portMappings":[{"hostPort":80}],"bandwidth":{"ingressRate":1}}""")!)).Succeeded();
        (await runtime.CheckAsync(pod)).Succeeded();
        (await runtime.DelAsync(pod)).Succeeded();

        var adds = (await recorder.CallsAsync("ADD")).ToDictionary(c => (string)c["ifname"]!, c => (JsonObject)c["config"]!);
        adds["eth0"]["runtimeConfig"]!.ToJsonString().Should().Be("""{"portMappings":[{"hostPort":80}]}""");
        adds["eth1"]["runtimeConfig"].Should().BeNull();
        foreach (var command in (string[])["CHECK", "DEL"])
        {
            var calls = await recorder.CallsAsync(command);
            calls.Select(c => (string)c["ifname"]!).Should().BeEquivalentTo("eth0", "eth1");
            foreach (var call in calls)
            {
                var config = (JsonObject)call["config"]!;
                ((string)config["prevResult"]!["interfaces"]![0]!["name"]!).Should().Be((string)call["ifname"]!, "it is the plugin's own result");
                config.Remove("prevResult");
                JsonNode.DeepEquals(config, adds[(string)call["ifname"]!]).Should().BeTrue(command);
            }
        }

        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task GC_frees_the_one_container_that_its_list_leaves_out()
    {
        var (runtime, other) = (new LibcniDriver(Node, List("1.1.0")), new LibcniDriver(Node, List("1.1.0", "other_config")));
        const string Interfaces = """[{"network":"mv","ip":"dynamic"},{"network":"rec"}]""";
        var (gone, stays, others) = (await PodAsync("gone", Interfaces), await PodAsync("stays", Interfaces), await PodAsync("others", Interfaces));
        (await runtime.AddAsync(gone)).Succeeded();
        (await runtime.AddAsync(stays)).Succeeded();
        (await other.AddAsync(others)).Succeeded();
        runtime.Forget(gone);

        (await runtime.GcAsync(stays)).Succeeded().Stdout.Should().BeEmpty();

        (await LinksAsync(gone)).Should().Equal("lo");
        Node.Objects("DanmEp").Select(o => (string)o["spec"]!["Pod"]!).Should().BeEquivalentTo("stays", "stays", "others", "others");
        Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["owner"]!["pod"]!).Should().BeEquivalentTo("stays", "others");
        (await Node.JournalsAsync()).Select(j => (string)j["ContainerId"]!).Should().BeEquivalentTo([stays.ContainerId, others.ContainerId]);
        (await recorder.CallsAsync("DEL")).Select(c => ((string)c["container"]!, (string)c["ifname"]!)).Should().Equal((gone.ContainerId, "eth1"));
        var gc = (await recorder.CallsAsync("GC")).Should().ContainSingle().Subject;
        ((string)gc["container"]! + (string)gc["netns"]! + (string)gc["ifname"]!).Should().BeEmpty();
        gc["config"]!["cni.dev/valid-attachments"]!.AsArray().Select(a => ((string)a!["containerID"]!, (string)a["ifname"]!)).Should().BeEquivalentTo(
            [(stays.ContainerId, "eth1"), (others.ContainerId, "eth1")], "the plugin cannot know by whose configuration they came");
        gc["config"]!["prevResult"].Should().BeNull();
        (await runtime.CheckAsync(stays)).Succeeded();
        (await other.CheckAsync(others)).Succeeded();

        (await runtime.GcAsync(stays)).Succeeded("there is nothing to do any more");

        (await recorder.CallsAsync("DEL")).Should().ContainSingle();
        (await runtime.DelAsync(stays)).Succeeded();
        (await other.DelAsync(others)).Succeeded();
        await ExpectNothingLeftAsync(gone, stays, others);
    }

    [Test]
    public async Task GC_without_a_list_does_nothing_and_with_an_empty_one_frees_all_of_its_configuration()
    {
        var (runtime, other) = (new LibcniDriver(Node, List("1.1.0")), new LibcniDriver(Node, List("1.1.0", "other_config")));
        const string Interfaces = """[{"network":"rec"},{"network":"mv","ip":"dynamic"}]""";
        var (one, two, others) = (await PodAsync("one", Interfaces), await PodAsync("two", Interfaces), await PodAsync("others", """[{"network":"mv","ip":"dynamic"}]"""));
        (await runtime.AddAsync(one)).Succeeded();
        (await runtime.AddAsync(two)).Succeeded();
        (await other.AddAsync(others)).Succeeded();
        var before = await Node.InterfacesAsync();

        (await Node.CallAsync(new CniCall("GC") { IfName = null, Config = Node.Config("1.1.0") })).Succeeded().Stdout.Should().BeEmpty();

        (await Node.InterfacesAsync()).Should().Be(before);
        (await recorder.CallsAsync("GC")).Concat(await recorder.CallsAsync("DEL")).Should().BeEmpty();
        Node.Objects("DanmEp").Should().HaveCount(5);

        runtime.Forget(one);
        runtime.Forget(two);
        (await runtime.GcAsync()).Succeeded();

        Node.Objects().Select(o => (string?)o["spec"]!["Pod"] ?? (string)o["spec"]!["owner"]!["pod"]!).Should().Equal("others", "others");
        (await recorder.CallsAsync("GC")).Should().ContainSingle().Which["config"]!["cni.dev/valid-attachments"]!.AsArray().Should().BeEmpty();
        (await other.DelAsync(others)).Succeeded();
        await ExpectNothingLeftAsync(one, two, others);
    }

    [Test]
    public async Task A_container_that_a_call_is_at_work_for_lives_for_its_delegates_too()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var (done, atWork) = (await PodAsync("done", """[{"network":"rec"}]"""), await PodAsync("busy", """[{"network":"rec"},{"network":"mv","ip":"dynamic"}]"""));
        (await runtime.AddAsync(done)).Succeeded();
        var reached = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("create", "ipallocations"))
        {
            Count = 1,
            Hold = () =>
            {
                reached.TrySetResult();
                return goOn.Task;
            },
        });
        var add = runtime.AddAsync(atWork);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20));

        (await runtime.GcAsync(done)).Succeeded();
        goOn.SetResult();

        (await add).Succeeded();
        (await recorder.CallsAsync("GC")).Should().ContainSingle().Which["config"]!["cni.dev/valid-attachments"]!.AsArray()
            .Select(a => (string)a!["containerID"]!).Should().BeEquivalentTo(done.ContainerId, atWork.ContainerId);
        (await runtime.CheckAsync(atWork)).Succeeded();
        (await runtime.DelAsync(atWork)).Succeeded();
        (await runtime.DelAsync(done)).Succeeded();
        await ExpectNothingLeftAsync(done, atWork);
    }

    [Test]
    public async Task A_delegate_whose_GC_fails_is_an_error_and_keeps_nothing_from_being_freed()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var pod = await PodAsync("a", """[{"network":"rec"}]""");
        (await runtime.AddAsync(pod)).Succeeded();
        runtime.Forget(pod);
        await recorder.FailAsync("GC", """{"cniVersion":"1.1.0","code":100,"msg":"cannot read my leases"}""");

        (await runtime.GcAsync()).Failed(111).Msg.Should().Contain("'recorder' GC").And.Contain("cannot read my leases");

        await ExpectNothingLeftAsync(pod);
    }

    // What the network's file becomes between two Pods of it: plugins keep what they have by the network's name.
    [TestCase("""{"cniVersion":"1.1.0","name":"rec","type":"recorder","x":2}""")]
    [TestCase("""{"cniVersion":"1.0.0","name":"rec","type":"recorder"}""")]
    public async Task GC_tells_delegates_of_every_attachment_of_their_network_after_its_file_was(string before)
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var (first, second) = (await PodAsync("first", """[{"network":"rec"}]"""), await PodAsync("second", """[{"network":"rec"}]"""));
        await Node.ShellAsync($"mv /run/cni/rec.conf /run/rec.conf; echo '{before}' >/run/cni/rec.conf");
        (await runtime.AddAsync(first)).Succeeded();
        await Node.ShellAsync("rm -f /run/cni/rec.*; mv /run/rec.conf /run/cni/rec.conf");
        (await runtime.AddAsync(second)).Succeeded();

        (await runtime.GcAsync(first, second)).Succeeded();

        ContainersIn((await recorder.CallsAsync("GC")).Should().ContainSingle().Subject).Should().BeEquivalentTo(first.ContainerId, second.ContainerId);
        (await runtime.DelAsync(first)).Succeeded();
        (await runtime.DelAsync(second)).Succeeded();
        await ExpectNothingLeftAsync(first, second);
    }

    [TestCase("truncate -s 40")]
    [TestCase("chown 1000")]
    [TestCase("rm")]
    public async Task GC_leaves_delegates_alone_while_a_valid_containers_journal_tells_nothing_after(string damage)
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        const string Interfaces = """[{"network":"rec"}]""";
        var (lost, known, gone) = (await PodAsync("lost", Interfaces), await PodAsync("known", Interfaces), await PodAsync("gone", Interfaces));
        foreach (var pod in (Sandbox[])[lost, known, gone])
            (await runtime.AddAsync(pod)).Succeeded();
        runtime.Forget(gone);
        await Node.ShellAsync($"{damage} /var/lib/cni/danm/sandboxes/*_{lost.ContainerId}");

        (await runtime.GcAsync(lost, known)).Succeeded();

        (await recorder.CallsAsync("GC")).Should().BeEmpty();
        (await recorder.CallsAsync("DEL")).Select(c => (string)c["container"]!).Should().Equal(gone.ContainerId);
        (await Node.ShellAsync("grep 'GC of delegates left out' /var/log/danm.log")).Should().Contain($"containers=\"{lost.ContainerId}\"");
        (await runtime.DelAsync(lost)).Succeeded();
        (await runtime.GcAsync(known)).Succeeded();
        ContainersIn((await recorder.CallsAsync("GC")).Should().ContainSingle("nobody is unknown any more").Subject).Should().Equal(known.ContainerId);
        (await runtime.DelAsync(known)).Succeeded();
        await ExpectNothingLeftAsync(lost, known, gone);
    }

    [Test]
    public async Task A_journal_that_cannot_be_opened_keeps_GC_from_nothing_else()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var pod = await PodAsync("a", """[{"network":"rec"}]""");
        (await runtime.AddAsync(pod)).Succeeded();
        runtime.Forget(pod);
        await Node.ShellAsync("ln -s /etc/passwd /var/lib/cni/danm/sandboxes/uid_link");

        (await runtime.GcAsync()).Succeeded();

        (await recorder.CallsAsync("GC")).Should().ContainSingle();
        await Node.ShellAsync("rm /var/lib/cni/danm/sandboxes/uid_link");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task DEL_of_a_container_that_lives_waits_for_no_GC()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var (gone, lives) = (await PodAsync("gone", """[{"network":"mv","ip":"dynamic"}]"""), await PodAsync("lives", """[{"network":"rec"}]"""));
        (await runtime.AddAsync(gone)).Succeeded();
        (await runtime.AddAsync(lives)).Succeeded();
        runtime.Forget(gone);
        var reached = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("delete", "danmeps"))
        {
            Count = 1,
            Hold = () =>
            {
                reached.TrySetResult();
                return goOn.Task;
            },
        });
        var gc = runtime.GcAsync(lives);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(20));

        var del = await lives.DelAsync();
        gc.IsCompleted.Should().BeFalse("else DEL may have waited for its end");
        goOn.SetResult();

        del.Succeeded("GC is at work for another one");
        await gc;
        await Node.PassTimeAsync(TimeSpan.FromSeconds(91));
        (await gone.DelAsync()).Succeeded();
        await ExpectNothingLeftAsync(gone, lives);
    }

    [Test]
    public async Task STATUS_waits_a_moment_only_for_a_delegate_that_hangs()
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        var pod = await PodAsync("a", """[{"network":"rec"}]""");
        (await runtime.AddAsync(pod)).Succeeded();
        await Node.ShellAsync("mkfifo /run/recorder/STATUS.error");

        (await runtime.StatusAsync()).Failed(50).Msg.Should().Contain("'rec'").And.Contain("did not answer STATUS within 1 s");

        (await runtime.DelAsync(pod)).Succeeded();
        await ExpectNothingLeftAsync(pod);
    }

    // The code that the delegate gives, and the one that the runtime gets.
    [TestCase(51, 51)]
    [TestCase(50, 50)]
    [TestCase(7, 50)]
    public async Task STATUS_asks_the_delegates_in_use(int code, int told)
    {
        var runtime = new LibcniDriver(Node, List("1.1.0"));
        await recorder.FailAsync("STATUS", $$"""{"cniVersion":"1.1.0","code":{{code}},"msg":"the fabric is down"}""");
        (await runtime.StatusAsync()).Succeeded("no delegate is in use");
        var (pod, old) = (await PodAsync("a", """[{"network":"rec"},{"network":"rec"}]"""), await PodAsync("old", """[{"network":"br"}]"""));
        (await runtime.AddAsync(old)).Succeeded();
        (await runtime.StatusAsync()).Succeeded("the plugins of its version have no STATUS");
        (await runtime.AddAsync(pod)).Succeeded();

        (await runtime.StatusAsync()).Failed(told).Msg.Should().Contain("'recorder' STATUS").And.Contain("the fabric is down");

        var asked = (await recorder.CallsAsync("STATUS")).Should().ContainSingle("one of two attachments tells how it is called").Subject;
        ((string)asked["container"]! + (string)asked["ifname"]!).Should().BeEmpty();
        asked["config"]!["prevResult"].Should().BeNull();
        (await runtime.DelAsync(pod)).Succeeded();
        (await runtime.StatusAsync()).Succeeded("it is in use no more");
        (await runtime.DelAsync(old)).Succeeded();
        await ExpectNothingLeftAsync(pod, old);
    }

    [TestCase("stopped")]
    [TestCase("silent")]
    public async Task STATUS_asks_no_API_server_that_is(string state)
    {
        var pod = await PodAsync("a", """[{"network":"rec"}]""");
        (await new LibcniDriver(Node, List("1.1.0")).AddAsync(pod)).Succeeded();
        var never = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(_ => true) { Hold = () => never.Task });
        var list = List("1.1.0");
        if (state == "stopped")
            list["plugins"]![0]!["kubeconfig"] = Node.WriteFile("stopped", Node.Server.Kubeconfig(new KubeconfigOptions { Port = 1 }));
        Node.Server.Requests.Clear();

        (await new LibcniDriver(Node, list).StatusAsync()).Succeeded();

        Node.Server.Requests.All.Should().BeEmpty();
        (await recorder.CallsAsync("STATUS")).Should().ContainSingle();
        never.SetResult();
        Node.Server.Faults.Clear();
        (await pod.DelAsync()).Succeeded();
    }

    private static bool HasCheck(string version) => version is "0.4.0" or "1.0.0" or "1.1.0";

    private JsonObject List(string version, string name = "danm_meta_cni")
    {
        var plugin = Node.Config(version);
        plugin.Remove("name");
        plugin.Remove("cniVersion");
        plugin["cniDir"] = "/run/cni";
        plugin["capabilities"] = new JsonObject { ["portMappings"] = true, ["bandwidth"] = false };
        return new JsonObject { ["cniVersion"] = version, ["name"] = name, ["plugins"] = new JsonArray(plugin) };
    }

    private static IEnumerable<string> ContainersIn(JsonObject call) =>
        call["config"]!["cni.dev/valid-attachments"]!.AsArray().Select(a => (string)a!["containerID"]!);

    private Task<Sandbox> PodAsync(string name, string interfaces) => Node.StartPodAsync(Objects.Pod(name, interfaces));

    private static async Task<string[]> LinksAsync(Sandbox pod) =>
        [.. (await pod.RunAsync("ip -o link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(": ")[1].Split('@')[0])];

    private async Task ExpectNothingLeftAsync(params Sandbox[] pods)
    {
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        (await Node.ShellAsync("ls /run/leases/br-net 2>/dev/null | grep '^10' || true")).Should().BeEmpty();
        foreach (var pod in pods)
            (await LinksAsync(pod)).Should().Equal("lo");
    }
}
