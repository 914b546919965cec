using Danm.Cni;
using Danm.State;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.Netlink;

namespace Danm.Tests.Attach;

/// <summary>
/// A DanmEp is in a tenant's namespace, who may write anything into it: it never leads danm, which is root on the node and may write
/// every IPAllocation, to what is another Pod's.
/// </summary>
public sealed class ForgedDanmEpTests : AttachFixture
{
    private const string Address = "10-0-0-5.untagged.ens4";

    [Test]
    public async Task An_honest_one_leads_DEL_to_its_own_address_when_the_journal_is_lost()
    {
        Endpoint("ep1", "c1", allocations: Address);
        Allocation(Address, "ep1", "c1");

        await DelAsync(Request(CniCommand.Del, "c1"));

        Names("DanmEp").Should().BeEmpty();
        Names("IPAllocation").Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [TestCase("another Pod's", "other-ep", "c1", "default", "amf-0")]
    [TestCase("of another namespace", "ep1", "c1", "victim", "amf-0")]
    [TestCase("of another Pod's name", "ep1", "c1", "default", "amf-1")]
    [TestCase("of another sandbox of a Pod of the name", "ep1", "c9", "default", "amf-0")]
    public async Task An_address_that_is_not_its_own_stays(string whose, string danmEp, string containerId, string ns, string pod)
    {
        Endpoint("ep1", "c1", allocations: Address);
        Allocation(Address, danmEp, containerId, ns, pod);

        await DelAsync(Request(CniCommand.Del, "c1"));

        Names("IPAllocation").Should().Equal([Address], whose);
        Names("DanmEp").Should().BeEmpty("that one was this container's");
        (await RecordAsync("c1")).Should().BeNull("nothing of it is left");
    }

    [Test]
    public async Task An_address_whose_owner_has_no_container_is_its_DanmEps()
    {
        Endpoint("ep1", "c1", allocations: Address);
        Allocation(Address, "ep1", null);

        await DelAsync(Request(CniCommand.Del, "c1"));

        Names("IPAllocation").Should().BeEmpty();
    }

    [TestCase("../danmeps/x")]
    [TestCase("10-0-0-5.a/../../x")]
    [TestCase("10-0-0-5")]
    [TestCase("10.0.0.5.untagged.ens4")]
    [TestCase("010-0-0-5.untagged.ens4")]
    [TestCase(",,,,")]
    [TestCase(" ")]
    public async Task Names_that_no_address_has_are_passed_over(string allocations)
    {
        Endpoint("ep1", "c1", allocations: allocations);

        await DelAsync(Request(CniCommand.Del, "c1"));

        Server.Requests.All.Select(r => r.Resource).Distinct().Should().BeEquivalentTo(allocations.StartsWith("10-0-0-5.") ? ["danmeps", "ipallocations"] : ["danmeps"]);
        Server.Requests.All.Should().OnlyContain(r => r.Status < 300 || (r.Resource == "ipallocations" && r.Verb == "get" && r.Status == 404));
    }

    [Test]
    public async Task It_names_one_address_a_family_at_most()
    {
        string[] names = [.. Enumerable.Range(1, 5).Select(i => $"10-0-0-{i}.untagged.ens4")];
        Endpoint("ep1", "c1", allocations: string.Join(',', names));
        foreach (var name in names)
            Allocation(name, "ep1", "c1");

        await DelAsync(Request(CniCommand.Del, "c1"));

        Names("IPAllocation").Should().BeEquivalentTo(names[2..]);
    }

    // A record's namespace is entered, as root, by a DEL that comes without one, and by GC.
    [TestCase(null)]
    [TestCase("/run/netns/mine")]
    public async Task The_namespace_that_it_names_is_never_remembered(string? netns)
    {
        Endpoint("ep1", "c1", netns: "/run/netns/victim", allocations: Address);
        Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = Fault.InternalError() });

        await DelAsync(Request(CniCommand.Del, "c1", netns: netns));

        var record = await RecordAsync("c1");
        record!.Netns.Should().Be(netns);
        record.Claims.Select(c => c.Name).Should().BeEquivalentTo("ep1", Address);
    }

    [Test]
    public async Task A_former_sandbox_whose_namespace_lives_is_left_alone()
    {
        using var pod = new TemporaryNamespace();
        var dead = Endpoint("ep1", "c1", netns: "/run/netns/danm-gone", allocations: Address);
        var living = Endpoint("ep2", "c1", netns: $"/run/netns/{pod.Name}");
        Allocation(Address, "ep1", "c1");

        await ReleaseFormerAsync(Sandbox("c2"), dead, living);
        Names("DanmEp").Should().HaveCount(2, "one of them says that the sandbox lives");
        Names("IPAllocation").Should().Equal(Address);

        await ReleaseFormerAsync(Sandbox("c2"), dead);
        Names("DanmEp").Should().Equal("ep2");
        Names("IPAllocation").Should().BeEmpty();
    }

    [Test]
    public async Task A_former_sandbox_that_cannot_be_released_now_leads_no_later_call_into_a_namespace()
    {
        var forged = Endpoint("ep1", "c1", netns: "/run/../proc/4194304/ns/net", allocations: Address);
        Allocation(Address, "ep1", "c1");
        Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = Fault.InternalError() });

        await ReleaseFormerAsync(Sandbox("c2"), forged);

        (await RecordAsync("c1")).Should().BeEquivalentTo(new { Phase = SandboxPhase.Deferred, Netns = (string?)null, PodNamespace = "default" });
        File.Exists(State.Mark($"{PodUid}_c1")).Should().BeTrue();

        Server.Faults.Clear();
        await ReleaseFormerAsync(Sandbox("c2"));
        Names("DanmEp").Should().BeEmpty();
        Names("IPAllocation").Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [TestCase("../../x")]
    [TestCase("")]
    [TestCase("a b")]
    public async Task A_container_that_no_runtime_names_is_no_former_sandbox(string cid)
    {
        await ReleaseFormerAsync(Sandbox("c2"), Endpoint("ep1", cid, netns: "/run/netns/danm-gone"));

        Directory.Exists(State.Folder).Should().BeFalse();
        Names("DanmEp").Should().Equal("ep1");
    }

    [Test]
    public async Task A_container_of_another_Pod_of_this_node_is_no_former_sandbox()
    {
        using (var victim = await State.CreateAsync("99999999-2222-3333-4444-555555555555", "c1"))
        {
            victim.Write(
                new SandboxRecord { Phase = SandboxPhase.Attached, ContainerId = "c1", PodUid = "99999999-2222-3333-4444-555555555555", PodNamespace = "victim", PodName = "v" },
                durable: false);
        }

        await ReleaseFormerAsync(Sandbox("c2", ns: "evil", pod: "x"), Endpoint("ep1", "c1", ns: "evil", pod: "x"));

        Names("DanmEp").Should().Equal("ep1");
        (await RecordAsync("c1"))!.PodNamespace.Should().Be("victim");
        LogText.Should().Contain("names another Pod's container");
    }

    [Test]
    public async Task What_another_call_has_written_meanwhile_counts_more()
    {
        using var living = new TemporaryNamespace();
        var forged = Endpoint("ep1", "c1", netns: "/run/netns/danm-gone", allocations: Address);
        Allocation(Address, "ep1", "c1");
        var holder = await State.CreateAsync(PodUid, "c1");

        var release = ReleaseFormerAsync(Sandbox("c2"), forged);
        await Task.Delay(100);
        release.IsCompleted.Should().BeFalse();
        holder.Write(
            new SandboxRecord
            {
                Phase = SandboxPhase.Attached, ContainerId = "c1", PodUid = PodUid, PodNamespace = "default", PodName = "amf-0", Netns = $"/run/netns/{living.Name}",
                Claims = [new ClaimRecord { Kind = "IPAllocation", Name = Address, EndpointId = "ep1", Uid = null }],
            },
            durable: false);
        holder.Dispose();
        await release;

        Names("IPAllocation").Should().Equal([Address], "the sandbox lives");
        (await RecordAsync("c1"))!.Phase.Should().Be(SandboxPhase.Attached);
    }

    [Test]
    public async Task Another_Pods_record_under_a_containers_id_keeps_nobody_from_releasing_it()
    {
        // evil/x said that the victim's container was a former sandbox of its own, and the API server did not answer just then.
        var forged = Endpoint("evil-ep", "c1", netns: "/run/netns/danm-gone", ns: "evil", pod: "x", uid: "99999999-2222-3333-4444-555555555555");
        Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = Fault.InternalError() });
        await ReleaseFormerAsync(Sandbox("c8", ns: "evil", pod: "x", uid: "99999999-2222-3333-4444-555555555555"), forged);
        Endpoint("ep1", "c1", ns: "victim", allocations: Address);
        Allocation(Address, "ep1", "c1", ns: "victim");
        Server.Faults.Clear();

        await DelAsync(Request(CniCommand.Del, "c1", ns: "victim"));

        Names("DanmEp").Should().BeEmpty();
        Names("IPAllocation").Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [Test]
    public async Task Only_the_Pods_own_namespace_is_searched()
    {
        Endpoint("ep1", "c1", ns: "evil", allocations: Address);
        Allocation(Address, "ep1", "c1", ns: "victim");

        await DelAsync(Request(CniCommand.Del, "c1", ns: "victim"));

        Names("DanmEp").Should().Equal("ep1");
        Names("IPAllocation").Should().Equal(Address);
        Server.Requests.All.Should().ContainSingle().Which.Query.Should().Contain("spec.CID");
    }
}
