using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Ipam;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Networks;
using Danm.State;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>The pass with its side effects, against an API Server and journals on a disk.</summary>
public sealed class NodeGarbageTests : GarbageFixture
{
    private static int s_count;

    private TestNode node = null!;
    private Network network = null!;

    [SetUp]
    public async Task NewNode()
    {
        var number = Interlocked.Increment(ref s_count);
        node = new TestNode(Server, Api, $"node-{number}");
        network = Network($"ens{number}");
        // What shows that namespaces are looked for in the right place.
        await AttachAsync("living");
        node.Clock.Pass(GarbageRules.Grace + TimeSpan.FromSeconds(10));
        Server.Requests.Clear();
    }

    [TearDown]
    public void Clear()
    {
        Server.Faults.Clear();
        foreach (var kind in (string[])["DanmEp", "IPAllocation"])
        {
            foreach (var item in Server.Store.List("danm.io/v1", kind))
                Server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }

        foreach (var item in Server.Store.List("v1", "Pod").Concat(Server.Store.List("v1", "Event")))
            Server.Store.Delete("v1", item["kind"].String()!, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        node.Dispose();
    }

    [Test]
    public async Task A_dead_sandbox_is_freed_and_the_living_cost_no_request()
    {
        await AttachAsync("living-2");
        await AttachDeadAsync("dead");
        // Another one of the name is not the Pod.
        node.CreatePod("dead");

        Server.Requests.Clear();

        var finding = (await PassAsync()).Should().ContainSingle().Which;

        finding.Should().BeEquivalentTo(new { Kind = FindingKind.Freed, PodNamespace = "default", PodName = "dead", ContainerId = "dead" });
        finding.Reason.Should().Contain("/netns/dead is gone").And.Contain("its Pod is gone");
        finding.Allocations.Should().ContainSingle();
        Owners().Should().BeEquivalentTo("living", "living-2");
        node.Records.Select(r => r.ContainerId).Should().BeEquivalentTo("living", "living-2");
        Server.Requests.All.Select(r => $"{r.Verb} {r.Resource}").Should().BeEquivalentTo(
            "list ipallocations", "list danmeps", "get pods", "delete danmeps", "delete ipallocations");
        (await PassAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task A_dry_run_says_the_same_and_changes_nothing()
    {
        await AttachDeadAsync("dead");
        var before = Server.Store.ResourceVersion;

        var dry = await PassAsync(dryRun: true);

        Server.Store.ResourceVersion.Should().Be(before);
        node.Records.Should().HaveCount(2);
        (await PassAsync()).Should().BeEquivalentTo(dry);
        Owners().Should().Equal("living");
    }

    [Test]
    public async Task Until_the_grace_is_over_nothing_goes()
    {
        node.Clock.Pass(-GarbageRules.Grace);
        await AttachDeadAsync("dead");

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Waiting);
        Owners().Should().BeEquivalentTo("living", "dead");

        node.Clock.Pass(GarbageRules.Grace);
        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Freed);
    }

    [Test]
    public async Task What_a_call_holds_the_lock_of_is_left_to_it()
    {
        var uid = await AttachDeadAsync("dead");
        using (await node.State.CreateAsync(uid, "dead", TimeSpan.Zero, CancellationToken.None))
            (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Busy);

        Owners().Should().BeEquivalentTo("living", "dead");
        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Freed);
    }

    [Test]
    public async Task What_a_call_has_written_since_the_look_is_left_to_it()
    {
        var uid = await AttachDeadAsync("dead");
        Server.Faults.Add(new Fault(Fault.On("get", "pods")) { Count = 1, Hold = WriteAsync });

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Busy);
        Owners().Should().BeEquivalentTo("living", "dead");

        async Task WriteAsync()
        {
            using var journal = await node.State.CreateAsync(uid, "dead", TimeSpan.Zero, CancellationToken.None);
            journal.Write(journal.Last!, durable: false);
        }
    }

    [Test]
    public async Task An_address_that_somebody_else_has_got_since_stays()
    {
        await AttachDeadAsync("dead");
        var old = Allocation("dead");
        Server.Faults.Add(new Fault(Fault.On("get", "pods")) { Count = 1, Hold = () => { Give(old, "other"); return Task.CompletedTask; } });

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Freed);

        Owners().Should().BeEquivalentTo("living", "other");
    }

    [Test]
    public async Task Where_all_look_dead_nothing_is_freed_and_the_Node_gets_an_Event()
    {
        node.DeleteNamespace("living");
        node.DeletePod("living");

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.WrongMount);

        Owners().Should().Equal("living");
        var e = Server.Store.List("v1", "Event").Should().ContainSingle().Which;
        e.At("involvedObject", "kind").String().Should().Be("Node");
        e.At("involvedObject", "name").String().Should().Be(node.Name);
        e["message"].String().Should().Contain("/netns/living").And.Contain("wrong place");
    }

    [Test]
    public async Task The_last_of_a_drained_node_is_freed_by_who_saw_it_alive()
    {
        var garbage = node.Garbage;
        (await garbage.RunAsync(dryRun: false, CancellationToken.None)).Should().BeEmpty();
        node.DeleteNamespace("living");
        node.DeletePod("living");

        (await garbage.RunAsync(dryRun: false, CancellationToken.None)).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Freed);

        Owners().Should().BeEmpty();
    }

    [Test]
    public async Task After_a_reboot_what_has_no_Pod_any_more_is_freed_and_the_rest_is_kept()
    {
        await AttachAsync("stays");
        node.DeletePod("living");
        node.Reboot();

        (await PassAsync()).Should().ContainSingle().Which.Should().BeEquivalentTo(new { Kind = FindingKind.Freed, ContainerId = "living" });

        Owners().Should().Equal("stays");
    }

    [Test]
    public async Task A_static_Pod_is_known_by_its_mirror_and_owner_by_its_uid()
    {
        var uid = node.CreatePod("mirror", new JsonObject { ["kubernetes.io/config.mirror"] = "hash-of-the-file" });
        node.MakeNamespace("mirror");
        await node.AddAsync("mirror", uid, "mirror", network, identity: "hash-of-the-file");
        var before = Allocation("mirror");
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, before.At("metadata", "name").String()!);

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Restored);
        Allocation("mirror").At("spec", "owner", "podUID").String().Should().Be(uid);

        node.DeleteNamespace("mirror");
        node.Clock.Pass(GarbageRules.Grace);
        (await PassAsync()).Should().BeEmpty("its Pod exists");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task An_allocation_that_a_living_sandbox_misses_is_made_again_as_it_was_and_DEL_finds_it(bool hashed)
    {
        if (hashed)
        {
            network = Network("Ens_Upper_1", "hashed");
            Server.Store.Create(Objects.Network("DanmNet", "hashed", $$$"""{"NetworkID":"n","NetworkType":"ipvlan","Options":{"host_device":"Ens_Upper_1","cidr":"10.0.0.0/24"}}"""));
        }

        await AttachAsync("victim");
        var before = Allocation("victim");
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, before.At("metadata", "name").String()!);

        (await PassAsync(dryRun: true)).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Restored);
        Owners().Should().Equal("living");
        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Restored);

        var after = Allocation("victim");
        JsonNode.DeepEquals(after["spec"], before["spec"]).Should().BeTrue("{0} must be {1}", after["spec"], before["spec"]);
        JsonNode.DeepEquals(after["metadata"]!["labels"], before["metadata"]!["labels"]).Should().BeTrue();
        after.At("metadata", "name").String().Should().Be(before.At("metadata", "name").String());
        (await PassAsync()).Should().BeEmpty();
        await node.DelAsync("victim");
        Owners().Should().Equal("living");
        node.Records.Should().ContainSingle();
    }

    [Test]
    public async Task All_allocations_that_a_living_sandbox_misses_are_made_again_in_one_pass()
    {
        var lost = await LoseTwoAsync();

        (await PassAsync()).Select(f => f.Kind).Should().Equal(FindingKind.Restored, FindingKind.Restored);
        Server.Store.List("danm.io/v1", "IPAllocation").Where(a => a.At("spec", "owner", "pod").String() == "victim").Select(a => a.At("metadata", "name").String())
            .Should().BeEquivalentTo(lost);
        (await PassAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task One_that_cannot_be_made_again_keeps_no_other_from_it()
    {
        var lost = await LoseTwoAsync();
        Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Count = 1, Answer = StatusException.Forbidden("not now") });

        (await PassAsync()).Select(f => f.Kind).Should().Equal(FindingKind.Failed, FindingKind.Restored);

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Restored);
        Server.Store.List("danm.io/v1", "IPAllocation").Select(a => a.At("metadata", "name").String()).Should().Contain(lost);
    }

    [Test]
    public async Task An_allocation_that_has_only_lost_its_labels_is_left_alone()
    {
        var allocation = Allocation("living");
        allocation["metadata"]!["labels"] = null;
        Server.Store.Update(allocation);

        (await PassAsync()).Should().BeEmpty();
        Owners().Should().Equal("living");
    }

    [Test]
    public async Task When_another_owner_holds_the_address_of_a_living_sandbox_an_Event_names_both()
    {
        Give(Allocation("living"), "other");

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Conflict);

        Owners().Should().Equal("other");
        var e = Server.Store.List("v1", "Event").Should().ContainSingle().Which;
        e.At("involvedObject", "name").String().Should().Be("living");
        e["message"].String().Should().Contain("Pod default/living").And.Contain("Pod default/other").And.Contain(Allocation("other").At("metadata", "name").String());
    }

    [Test]
    public async Task What_a_lost_journal_named_is_freed_by_the_DanmEps_before_the_addresses()
    {
        await AttachDeadAsync("dead");
        File.Delete(Directory.GetFiles(Path.Combine(node.State.Folder, "sandboxes"), "*_dead").Single());

        (await PassAsync()).Should().ContainSingle().Which.Kind.Should().Be(FindingKind.Freed);

        Owners().Should().Equal("living");
        Server.Store.List("danm.io/v1", "DanmEp").Should().ContainSingle();
        Server.Requests.Where("delete", "ipallocations")[0].Started.Should().BeGreaterThan(Server.Requests.Where("delete", "danmeps")[0].Ended!.Value);
        node.Records.Should().ContainSingle();
    }

    [Test]
    public async Task Without_journal_and_DanmEp_an_address_is_reported_and_stays()
    {
        var stored = Allocation("living").DeepClone().AsObject();
        Make("stand-alone", owner: new JsonObject { ["containerID"] = "abc", ["interface"] = "eth0" }, "10.0.0.201");
        Make("orphan", owner: new JsonObject { ["containerID"] = "def", ["interface"] = "eth0", ["namespace"] = "default", ["pod"] = "orphan", ["podUID"] = "x", ["danmEp"] = "none" }, "10.0.0.202");

        var findings = await PassAsync();

        findings.Select(f => (f.Kind, f.ContainerId)).Should().BeEquivalentTo([(FindingKind.Suspect, "abc"), (FindingKind.Suspect, "def")]);
        Server.Store.Count("danm.io/v1", "IPAllocation").Should().Be(3);

        void Make(string _, JsonObject owner, string address)
        {
            var made = stored.DeepClone().AsObject();
            made["metadata"] = new JsonObject { ["name"] = $"{address.Replace('.', '-')}.untagged.x", ["labels"] = made["metadata"]!["labels"]!.DeepClone() };
            made["spec"]!["address"] = $"{address}/24";
            made["spec"]!["owner"] = owner;
            Server.Store.Create(made);
        }
    }

    [Test]
    public async Task An_address_in_the_name_of_a_living_sandbox_that_it_does_not_use_is_freed()
    {
        var late = Allocation("living").DeepClone().AsObject();
        late["metadata"] = new JsonObject { ["name"] = "10-0-0-200.untagged.late", ["labels"] = late["metadata"]!["labels"]!.DeepClone() };
        late["spec"]!["address"] = "10.0.0.200/24";
        Server.Store.Create(late);

        (await PassAsync()).Should().ContainSingle().Which.Should().BeEquivalentTo(new { Kind = FindingKind.Freed, Allocations = new[] { "10-0-0-200.untagged.late" } });

        Owners().Should().Equal("living");
        Allocation("living").At("spec", "address").String().Should().NotBe("10.0.0.200/24");
    }

    [Test]
    public async Task One_that_cannot_be_freed_keeps_no_other_and_the_next_pass_frees_it()
    {
        await AttachDeadAsync("dead-1");
        await AttachDeadAsync("dead-2");
        var stuck = Server.Store.List("danm.io/v1", "DanmEp").Single(e => e.At("spec", "CID").String() == "dead-1").At("metadata", "name").String();
        Server.Faults.Add(new Fault(Fault.On("delete", "danmeps", stuck)) { Answer = new StatusException(403, "Forbidden", "no") });

        (await PassAsync()).Select(f => (f.ContainerId, f.Kind)).Should().BeEquivalentTo([("dead-1", FindingKind.Waiting), ("dead-2", FindingKind.Freed)]);
        Owners().Should().BeEquivalentTo("living", "dead-1");

        Server.Faults.Clear();
        (await PassAsync()).Should().ContainSingle().Which.Should().BeEquivalentTo(new { ContainerId = "dead-1", Kind = FindingKind.Freed });
        Owners().Should().Equal("living");
    }

    [Test]
    public async Task An_empty_journal_goes_and_a_damaged_one_is_reported()
    {
        var folder = Path.Combine(node.State.Folder, "sandboxes");
        await File.WriteAllTextAsync(Path.Combine(folder, "u_empty"), "");
        await File.WriteAllTextAsync(Path.Combine(folder, "u_damaged"), "{\"Phase\":");

        (await PassAsync()).Select(f => (f.ContainerId, f.Kind)).Should().BeEquivalentTo([("empty", FindingKind.Freed), ("damaged", FindingKind.Suspect)]);

        File.Exists(Path.Combine(folder, "u_empty")).Should().BeFalse();
        File.Exists(Path.Combine(folder, "u_damaged")).Should().BeTrue();
    }

    private Task<IReadOnlyList<Finding>> PassAsync(bool dryRun = false) => node.Garbage.RunAsync(dryRun, CancellationToken.None);

    /// <summary>Takes both allocations of a living sandbox away; gives their names.</summary>
    private async Task<string[]> LoseTwoAsync()
    {
        await AttachAsync("victim");
        var first = Allocation("victim").At("metadata", "name").String()!;
        var second = $"10-0-0-200{first[first.IndexOf('.')..]}";
        using (var journal = (await node.State.FindAsync((_, c) => c == "victim", TimeSpan.Zero, default)).Single())
        {
            var attachment = journal.Last!.Attachments.Single();
            journal.Write(
                journal.Last with
                {
                    Claims = [.. journal.Last.Claims, new ClaimRecord { Kind = ApiNames.IPAllocation, Name = second, EndpointId = attachment.EndpointId }],
                    Attachments = [attachment with { Addresses = [.. attachment.Addresses, "10.0.0.200/24"] }],
                },
                durable: false);
        }

        Server.Store.Delete("danm.io/v1", "IPAllocation", null, first);
        return [first, second];
    }

    private async Task<string> AttachAsync(string pod)
    {
        var uid = node.CreatePod(pod);
        node.MakeNamespace(pod);
        await node.AddAsync(pod, uid, pod, network);
        return uid;
    }

    private async Task<string> AttachDeadAsync(string pod)
    {
        var uid = await AttachAsync(pod);
        node.DeletePod(pod);
        node.DeleteNamespace(pod);
        return uid;
    }

    private IEnumerable<string> Owners() => Server.Store.List("danm.io/v1", "IPAllocation").Select(a => a.At("spec", "owner", "pod").String()!);

    private JsonObject Allocation(string pod) => Server.Store.List("danm.io/v1", "IPAllocation").Single(a => a.At("spec", "owner", "pod").String() == pod);

    private void Give(JsonObject allocation, string pod)
    {
        var name = allocation.At("metadata", "name").String()!;
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, name);
        allocation["metadata"] = new JsonObject { ["name"] = name };
        allocation["spec"]!["owner"]!["pod"] = pod;
        allocation["spec"]!["owner"]!["danmEp"] = $"ep-{pod}";
        allocation["spec"]!["nodeName"] = "elsewhere";
        Server.Store.Create(allocation);
    }

    private static Network Network(string device, string name = "n") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default" },
        Spec = new NetworkSpec { NetworkId = "n", Options = new NetworkOptions { HostDevice = device, Cidr = "10.0.0.0/24" } },
    };
}
