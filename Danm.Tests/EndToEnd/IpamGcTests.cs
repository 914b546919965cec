using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary><c>danm ipam gc</c> on a node with Pods on a macvlan network.</summary>
[TestFixture, Parallelizable]
public sealed class IpamGcTests
{
    private const string Macvlan = """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64"}}""";
    private const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"}]""";

    private HostNode node = null!;
    private string config = "";

    // /proc/1/root must lead to the node, not to the machine that the tests run on.
    [OneTimeSetUp]
    public async Task Start()
    {
        node = await HostNode.StartAsync(ownProcesses: true);
        config = node.WriteFile("00-danm.conf", Config().ToJsonString());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (node is not null)
            await node.DisposeAsync();
    }

    [SetUp]
    public void Network() => node.Server.Store.Create(Objects.Network("DanmNet", "mv", Macvlan));

    [TearDown]
    public async Task Forget()
    {
        await node.ResetAsync();
        foreach (var e in node.Server.Store.List("v1", "Event"))
            node.Server.Store.Delete("v1", "Event", (string)e["metadata"]!["namespace"]!, (string)e["metadata"]!["name"]!);
    }

    [Test]
    public async Task What_is_provably_dead_is_freed_and_the_living_stays()
    {
        await AttachAsync("living");
        var dead = await AttachAsync("dead");
        await EndAsync(dead);
        await PassTimeAsync();
        var all = node.Objects().Count;

        var dry = await GcAsync("--dry-run");
        dry.Output.Should().MatchRegex($@"^RESULT +POD +CONTAINER +IPALLOCATIONS +REASON\nwould-free +default/dead +{dead.ContainerId[..12]} +\S+\.untagged\.parent0,\S+\.untagged\.parent0 +its network namespace {dead.Netns} is gone, and its Pod is gone\n$");
        dry.Error.Should().Be("Would free 2 addresses of 1 sandboxes on node node-1 (dry run).\n");
        node.Objects().Should().HaveCount(all);

        var names = await GcAsync("--dry-run -o name");
        names.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(2).And.OnlyContain(n => n.StartsWith("ipallocation.danm.io/"));

        var done = await GcAsync("--no-headers");
        done.ExitCode.Should().Be(0);
        done.Output.Should().StartWith("freed ");
        done.Error.Should().StartWith("Freed 2 addresses of 1 sandboxes on node node-1.");
        PodsOfObjects().Should().Equal("living");
        (await node.JournalsAsync()).Should().ContainSingle();

        var nothing = await GcAsync("");
        nothing.Output.Should().BeEmpty();
        nothing.Error.Should().StartWith("Freed 0 addresses");
    }

    [Test]
    public async Task What_is_not_old_enough_waits_and_the_output_says_for_how_long()
    {
        await AttachAsync("living");
        await EndAsync(await AttachAsync("dead"));

        var json = await GcAsync("-o json");

        JsonNode.Parse(json.Output)!["findings"]!.AsArray().Should().ContainSingle().Which!["result"]!.ToString().Should().Be("waiting");
        json.Error.Should().Contain("run this again in 6 minutes");
        PodsOfObjects().Should().BeEquivalentTo("living", "dead");
    }

    [Test]
    public async Task What_an_ADD_left_that_was_killed_is_freed()
    {
        await AttachAsync("living");
        var (pod, add, commit) = await HeldAddAsync("killed");
        await node.ShellAsync("kill -KILL $(cat /run/pid)");
        await add;
        commit.SetResult();
        await EndAsync(pod);
        await UntilAsync(() => PodsOfObjects().Contains("killed"), "the create that was under way commits");
        await PassTimeAsync();

        await GcAsync("");

        PodsOfObjects().Should().Equal("living");
        await node.PassTimeAsync(TimeSpan.FromSeconds(91));
        await GcAsync("");
        (await node.JournalsAsync()).Should().ContainSingle();
    }

    [Test]
    public async Task An_ADD_at_work_is_not_disturbed_however_long_it_takes()
    {
        await AttachAsync("living");
        var (pod, add, commit) = await HeldAddAsync("slow");
        node.Server.Store.Delete("v1", "Pod", "default", "slow");
        await node.ShellAsync($"ip netns delete {pod.NetnsName}");
        await PassTimeAsync();

        var gc = await GcAsync("-o json");

        JsonNode.Parse(gc.Output)!["findings"]!.AsArray().Should().ContainSingle().Which!["result"]!.ToString().Should().Be("busy");
        commit.SetResult();
        await add;
        await PassTimeAsync();
        await GcAsync("");
        PodsOfObjects().Should().Equal("living");
    }

    [Test]
    public async Task In_a_container_of_its_own_mounts_it_sees_the_namespaces_of_the_host()
    {
        await AttachAsync("living");
        node.Server.Store.Delete("v1", "Pod", "default", "living");
        await PassTimeAsync();

        // As on most hosts, with the path through an absolute link.
        await node.ShellAsync("sed -i 's,\"/run/netns,\"/var/run/netns,' /var/lib/cni/danm/sandboxes/*; [ -L /var/run ]");
        await PassTimeAsync();
        var gc = await GcAsync("", "unshare --mount --propagation private bash -c 'mount -t tmpfs tmpfs /run && exec \"$@\"' sh ");

        gc.Output.Should().BeEmpty();
        gc.ExitCode.Should().Be(0);
        PodsOfObjects().Should().Equal("living");
    }

    [Test]
    public async Task Where_the_wrong_mounts_are_seen_nothing_is_freed_and_the_Node_gets_an_Event()
    {
        foreach (var name in (string[])["a", "b"])
        {
            await AttachAsync(name);
            node.Server.Store.Delete("v1", "Pod", "default", name);
        }

        await PassTimeAsync();

        var gc = await GcAsync("", "unshare --mount --pid --fork --mount-proc --propagation private bash -c 'mount -t tmpfs tmpfs /run && \"$@\"' sh ");

        gc.ExitCode.Should().Be(1);
        gc.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..].Should().HaveCount(2).And.OnlyContain(l => l.StartsWith("not-seen "));
        gc.Error.Should().Contain("error: 2 sandboxes look dead, and not one is seen alive").And.Contain("nsenter -t 1 -m");
        PodsOfObjects().Should().BeEquivalentTo("a", "b");
        node.Server.Store.List("v1", "Event").Should().ContainSingle().Which["involvedObject"]!["name"]!.ToString().Should().Be("node-1");
    }

    [Test]
    public async Task After_a_reboot_it_frees_what_has_no_Pod_any_more()
    {
        await AttachAsync("stays");
        await AttachAsync("gone");
        node.Server.Store.Delete("v1", "Pod", "default", "gone");
        await node.ShellAsync("ip -all netns delete; sed -i \"s/$(cat /proc/sys/kernel/random/boot_id)/00000000-0000-0000-0000-000000000000/\" /var/lib/cni/danm/sandboxes/*");
        await PassTimeAsync();

        var gc = await GcAsync("");

        gc.Output.Should().Contain("the node has booted since, and its Pod is gone");
        PodsOfObjects().Should().Equal("stays");
    }

    [Test]
    public async Task With_the_journal_lost_it_frees_nothing_from_afar_and_reports_what_looks_leaked()
    {
        await AttachAsync("living");
        await EndAsync(await AttachAsync("leaked"));
        await node.ShellAsync("rm -r /var/lib/cni/danm");

        var gc = await GcAsync("");

        gc.ExitCode.Should().Be(0);
        gc.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..].Should().HaveCount(2).And.OnlyContain(l => l.StartsWith("leaked ") && l.Contains("default/leaked"));
        gc.Error.Should().Contain("None is freed from here: danm has attached no Pod here").And.Contain("Next: ");
        PodsOfObjects().Should().BeEquivalentTo("living", "leaked");
    }

    [Test]
    public async Task An_IPAllocation_that_was_deleted_by_mistake_comes_back_and_DEL_leaves_nothing()
    {
        var living = await AttachAsync("living");
        var lost = node.Objects("IPAllocation")[0];
        node.Server.Store.Delete("danm.io/v1", "IPAllocation", null, (string)lost["metadata"]!["name"]!);

        var gc = await GcAsync("");

        gc.Output.Should().Contain("\nrestored ");
        gc.Error.Should().Contain("Restored 1 IPAllocations");
        var back = node.Objects("IPAllocation").Single(a => (string)a["metadata"]!["name"]! == (string)lost["metadata"]!["name"]!);
        JsonNode.DeepEquals(back["spec"], lost["spec"]).Should().BeTrue();
        (await node.CallAsync(Call(living, "DEL"))).Succeeded();
        node.Objects().Should().BeEmpty();
    }

    [Test]
    public async Task Of_another_node_than_this_one_it_frees_nothing()
    {
        await AttachAsync("living");
        await EndAsync(await AttachAsync("dead"));
        await PassTimeAsync();

        var gc = await GcAsync("--node-name node-2");

        gc.Error.Should().Contain("this is node node-1, not node-2");
        PodsOfObjects().Should().BeEquivalentTo("living", "dead");
    }

    private JsonObject Config()
    {
        var json = node.Config();
        json["nodeName"] = "node-1";
        return json;
    }

    private CniCall Call(Sandbox pod, string command)
    {
        var call = pod.Call(command);
        call.Config["nodeName"] = "node-1";
        return call;
    }

    private async Task<Sandbox> AttachAsync(string name)
    {
        var pod = await node.StartPodAsync(Objects.Pod(name, Interfaces));
        (await node.CallAsync(Call(pod, "ADD"))).Succeeded();
        return pod;
    }

    /// <summary>An ADD whose first create does not end until it is told to.</summary>
    private async Task<(Sandbox Pod, Task<string> Add, TaskCompletionSource Commit)> HeldAddAsync(string name)
    {
        var arrived = new TaskCompletionSource();
        var commit = new TaskCompletionSource();
        node.Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, Hold = () => { arrived.SetResult(); return commit.Task; } });
        var pod = await node.StartPodAsync(Objects.Pod(name, Interfaces));
        var add = node.ShellAsync($"cat >/run/config <<'CONFIG'\n{Call(pod, "ADD").Config.ToJsonString()}\nCONFIG\n(exec {Call(pod, "ADD").ToCommand(DanmBinary.Path)} </run/config >/run/out 2>&1) & echo $! >/run/pid; wait $! || true");
        await arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        return (pod, add, commit);
    }

    /// <summary>The Pod and its namespace go, without a DEL.</summary>
    private async Task EndAsync(Sandbox pod)
    {
        node.Server.Store.Delete("v1", "Pod", "default", pod.Name);
        await pod.DeleteNamespaceAsync();
    }

    private Task PassTimeAsync() => node.ShellAsync("touch -d '-6 minutes' /var/lib/cni/danm/sandboxes/*");

    private static async Task UntilAsync(Func<bool> condition, string because)
    {
        for (var i = 0; !condition(); i++)
        {
            i.Should().BeLessThan(500, because);
            await Task.Delay(20);
        }
    }

    private async Task<(int ExitCode, string Output, string Error)> GcAsync(string arguments, string prefix = "")
    {
        var code = await node.ShellAsync($"{prefix}env HOME=/nowhere {DanmBinary.Path} ipam gc --cni-conf {config} {arguments} >/var/log/gc.out 2>/var/log/gc.err; echo $?");
        return (int.Parse(code), await node.ShellAsync("cat /var/log/gc.out"), await node.ShellAsync("cat /var/log/gc.err"));
    }

    private IEnumerable<string> PodsOfObjects() =>
        node.Objects("IPAllocation").Select(a => (string)a["spec"]!["owner"]!["pod"]!).Distinct();
}
