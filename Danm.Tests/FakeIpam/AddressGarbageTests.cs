using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary><c>danm ipam gc</c> of addresses that macvlan has from fakeipam, for containers whose DEL never came.</summary>
[Parallelizable]
public sealed class AddressGarbageTests : NetworkIpamFixture
{
    private const string Dual = """ "cidr":"10.9.0.0/24","net6":"fd09::/64" """;
    private const string Journals = "/var/lib/cni/danm/addresses/sandboxes";

    // /proc/1/root must lead to the node, not to the machine that the tests run on.
    private protected override bool OwnProcesses => true;

    [SetUp]
    public void MakeNetwork() => Network(Dual);

    [Test]
    public async Task A_container_whose_namespace_went_without_DEL_loses_its_addresses_after_the_grace_and_a_living_one_never()
    {
        var runtime = Plain(OfNode());
        var (living, dead) = (await ContainerAsync("living"), await ContainerAsync("dead"));
        foreach (var container in (Sandbox[])[living, dead])
            (await runtime.AddAsync(container)).Succeeded();
        await dead.DeleteNamespaceAsync();

        var soon = await GcAsync("-o json");
        JsonNode.Parse(soon.Output)!["findings"]!.AsArray().Should().ContainSingle().Which!["result"]!.ToString().Should().Be("waiting");
        Allocations().Should().HaveCount(4);

        await PassGraceAsync();
        var dry = await GcAsync("--dry-run");
        dry.Output.Should().MatchRegex($@"^RESULT .*\nwould-free +<none> +{dead.ContainerId[..12]} +\S+\.untagged\.parent0,\S+\.untagged\.parent0 +its network namespace {dead.Netns} is gone, and it belongs to no Pod\n$");
        Allocations().Should().HaveCount(4);

        var done = await GcAsync("");
        done.Error.Should().Be("Freed 2 addresses of 1 sandboxes on node node-1.\n");
        Containers().Should().Equal(living.ContainerId, living.ContainerId);
        (await JournalsAsync()).Should().ContainSingle();
        (await GcAsync("")).Output.Should().BeEmpty();
        (await runtime.CheckAsync(living)).Succeeded();
        (await runtime.DelAsync(living)).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task Where_nothing_lives_a_path_proves_nothing()
    {
        var runtime = Plain(OfNode());
        var dead = await ContainerAsync("dead");
        (await runtime.AddAsync(dead)).Succeeded();
        await dead.DeleteNamespaceAsync();
        await PassGraceAsync();

        var gc = await GcAsync("");

        gc.ExitCode.Should().Be(1);
        gc.Output.Should().Contain("\nnot-seen ");
        Allocations().Should().HaveCount(2);
    }

    [Test]
    public async Task A_Pods_interface_keeps_its_addresses_as_long_as_the_Pod_exists()
    {
        var runtime = new LibcniDriver(Node, OfNode()) { IfName = "net1" };
        var (living, pod) = (await Node.StartPodAsync(Objects.Pod("living", null)), await Node.StartPodAsync(Objects.Pod("amf-0", null)));
        foreach (var sandbox in (Sandbox[])[living, pod])
            (await runtime.AddAsync(sandbox)).Succeeded();
        await pod.DeleteNamespaceAsync();
        await PassGraceAsync();

        (await GcAsync("")).Output.Should().BeEmpty();
        Allocations().Should().HaveCount(4);

        Node.Server.Store.Delete("v1", "Pod", "default", "amf-0");
        (await GcAsync("--no-headers")).Output.Should().MatchRegex(@"^freed +default/amf-0 .* is gone, and its Pod is gone\n$");
        Containers().Should().Equal(living.ContainerId, living.ContainerId);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task After_a_reboot_what_no_Pod_has_goes(bool ofPod)
    {
        var runtime = ofPod ? new LibcniDriver(Node, OfNode()) : Plain(OfNode());
        var stays = await Node.StartPodAsync(Objects.Pod("stays", null));
        (await new LibcniDriver(Node, OfNode()).AddAsync(stays)).Succeeded();
        var gone = ofPod ? await Node.StartPodAsync(Objects.Pod("gone", null)) : await ContainerAsync("gone");
        (await runtime.AddAsync(gone)).Succeeded();
        if (ofPod)
            Node.Server.Store.Delete("v1", "Pod", "default", "gone");
        await Node.ShellAsync($"ip -all netns delete; sed -i \"s/$(cat /proc/sys/kernel/random/boot_id)/00000000-0000-0000-0000-000000000000/\" {Journals}/*");
        await PassGraceAsync();

        var gc = await GcAsync("");

        gc.Output.Should().Contain($"the node has booted since, and {(ofPod ? "its Pod is gone" : "it belongs to no Pod")}");
        Containers().Should().Equal(stays.ContainerId, stays.ContainerId);
    }

    [Test]
    public async Task An_interface_that_a_call_is_at_work_for_is_left_to_it()
    {
        var runtime = Plain(OfNode());
        var (living, dead) = (await ContainerAsync("living"), await ContainerAsync("dead"));
        foreach (var container in (Sandbox[])[living, dead])
            (await runtime.AddAsync(container)).Succeeded();
        await dead.DeleteNamespaceAsync();
        await PassGraceAsync();

        (await GcAsync("-o json", $"flock {Journals}/_{dead.ContainerId}_* ")).Output.Should().Contain("\"busy\"");

        Allocations().Should().HaveCount(4);
        (await GcAsync("")).Error.Should().StartWith("Freed 2 addresses");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_IPAllocation_that_was_deleted_by_mistake_comes_back_as_it_was_and_DEL_leaves_nothing(bool ofPod)
    {
        var runtime = ofPod ? new LibcniDriver(Node, OfNode()) : Plain(OfNode());
        var container = ofPod ? await Node.StartPodAsync(Objects.Pod("amf-0", null)) : await ContainerAsync();
        (await runtime.AddAsync(container)).Succeeded();
        var lost = Node.Objects("IPAllocation")[0];
        var name = (string)lost["metadata"]!["name"]!;
        Node.Server.Store.Delete("danm.io/v1", "IPAllocation", null, name);

        var gc = await GcAsync("");

        gc.Output.Should().Contain("\nrestored ");
        var back = Node.Objects("IPAllocation").Single(a => (string)a["metadata"]!["name"]! == name);
        JsonNode.DeepEquals(back["spec"], lost["spec"]).Should().BeTrue("{0} was {1}", back, lost);
        JsonNode.DeepEquals(back["metadata"]!["labels"], lost["metadata"]!["labels"]).Should().BeTrue("{0} was {1}", back, lost);
        (await GcAsync("")).Output.Should().BeEmpty();
        (await runtime.DelAsync(container)).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task An_address_that_another_container_got_meanwhile_is_told()
    {
        var runtime = Plain(OfNode());
        var container = await ContainerAsync();
        (await runtime.AddAsync(container)).Succeeded();
        var taken = Node.Objects("IPAllocation")[0];
        Node.Server.Store.Delete("danm.io/v1", "IPAllocation", null, (string)taken["metadata"]!["name"]!);
        taken["spec"]!["owner"]!["containerID"] = "another";
        taken["metadata"]!.AsObject().Remove("resourceVersion");
        Node.Server.Store.Create(taken);

        (await GcAsync("")).Output.Should().Contain("\nconflict ").And.Contain($"by container {container.ContainerId} (interface eth0, node node-1), which lives, and by container another (");
    }

    [Test]
    public async Task What_was_given_without_a_nodes_name_is_neither_lost_nor_kept_for_good()
    {
        var runtime = Plain();
        var (living, dead) = (await ContainerAsync("living"), await ContainerAsync("dead"));
        foreach (var container in (Sandbox[])[living, dead])
            (await runtime.AddAsync(container)).Succeeded();
        await dead.DeleteNamespaceAsync();
        await PassGraceAsync();

        (await GcAsync("")).Error.Should().Be("Freed 2 addresses of 1 sandboxes on node node-1.\n");

        Containers().Should().Equal(living.ContainerId, living.ContainerId);
    }

    [Test]
    public async Task Beside_danms_own_interface_in_one_sandbox_each_has_its_own()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""));
        var runtime = new LibcniDriver(Node, OfNode()) { IfName = "net1" };
        var (living, pod) = (await AttachAsync("living"), await AttachAsync("amf-0"));
        Node.Objects("IPAllocation").Should().HaveCount(6);
        await pod.DeleteNamespaceAsync();
        Node.Server.Store.Delete("v1", "Pod", "default", "amf-0");
        await PassGraceAsync();

        // A journal that is lost: nothing proves the others' addresses dead, and danm's do not take them along.
        await Node.ShellAsync($"mv {Journals}/{pod.Uid}_* /run/kept");
        var half = await GcAsync("--no-headers");
        half.Error.Should().StartWith("Freed 1 addresses of 1 sandboxes");
        half.Output.Should().Contain("unproven ");
        Containers().Should().HaveCount(5);

        await Node.ShellAsync($"mv /run/kept {Journals}/{pod.Uid}_{pod.ContainerId}_x");
        (await GcAsync("")).Error.Should().StartWith("Freed 2 addresses of 1 sandboxes");
        Containers().Should().HaveCount(3).And.OnlyContain(c => c == living.ContainerId);

        async Task<Sandbox> AttachAsync(string name)
        {
            var sandbox = await Node.StartPodAsync(Objects.Pod(name, """[{"network":"mv","ip":"dynamic"}]"""));
            var call = sandbox.Call("ADD");
            call.Config["nodeName"] = "node-1";
            (await Node.CallAsync(call)).Succeeded();
            (await runtime.AddAsync(sandbox)).Succeeded();
            return sandbox;
        }
    }

    /// <summary>The conflist of a node that knows its name.</summary>
    private JsonObject OfNode()
    {
        var list = List();
        list["plugins"]![0]!["ipam"]!["nodeName"] = "node-1";
        return list;
    }

    private IEnumerable<string> Containers() => Node.Objects("IPAllocation").Select(a => (string)a["spec"]!["owner"]!["containerID"]!);

    private Task PassGraceAsync() => Node.ShellAsync("touch -d '-6 minutes' /var/lib/cni/danm/addresses/sandboxes/*; touch -d '-6 minutes' /var/lib/cni/danm/sandboxes/* 2>/dev/null; true");

    private async Task<(int ExitCode, string Output, string Error)> GcAsync(string arguments, string prefix = "")
    {
        var code = await Node.ShellAsync(
            $"{prefix}env HOME=/nowhere {DanmBinary.Path} ipam gc --kubeconfig {Node.Kubeconfig} --node-name node-1 {arguments} >/var/log/gc.out 2>/var/log/gc.err; echo $?");
        return (int.Parse(code), await Node.ShellAsync("cat /var/log/gc.out"), await Node.ShellAsync("cat /var/log/gc.err"));
    }
}
