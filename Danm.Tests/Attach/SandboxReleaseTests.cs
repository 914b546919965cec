using System.Diagnostics;
using System.Text;
using Danm.Attach;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Attach;

/// <summary>What becomes of the API objects that a journal names.</summary>
public sealed class SandboxReleaseTests : AttachFixture
{
    private const string Address = "10-0-0-5.untagged.ens4";

    [Test]
    public async Task DanmEps_go_before_their_addresses()
    {
        var claims = new List<ClaimRecord>();
        for (var i = 1; i <= 3; i++)
        {
            claims.Add(IPAllocation(Allocation($"10-0-0-{i}.untagged.ens4", $"ep{i}", "c1"), $"ep{i}"));
            claims.Add(DanmEp(Endpoint($"ep{i}", "c1").Metadata.Name!));
        }

        await ReleaseAsync(Record(claims));

        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
        var endpoints = Server.Requests.Where("delete", "danmeps");
        endpoints.Should().HaveCount(3);
        Server.Requests.Where("delete", "ipallocations").Should().HaveCount(3).And.OnlyContain(r => r.Started > endpoints.Max(e => e.Ended));
    }

    [Test]
    public async Task While_a_DanmEp_stays_its_address_stays_and_no_others()
    {
        foreach (var i in (int[])[1, 2])
        {
            Endpoint($"ep{i}", "c1");
            Allocation($"10-0-0-{i}.untagged.ens4", $"ep{i}", "c1");
        }

        Server.Faults.Add(new Fault(Fault.On("delete", "danmeps", "ep1")) { Answer = Fault.InternalError() });

        await ReleaseAsync(Record(DanmEp("ep1"), IPAllocation("10-0-0-1.untagged.ens4", "ep1"), DanmEp("ep2"), IPAllocation("10-0-0-2.untagged.ens4", "ep2")));

        Names("DanmEp").Should().Equal("ep1");
        Names("IPAllocation").Should().Equal("10-0-0-1.untagged.ens4");
        (await RecordAsync("c1")).Should().BeEquivalentTo(
            new { Phase = SandboxPhase.Deferred, Claims = new[] { DanmEp("ep1"), IPAllocation("10-0-0-1.untagged.ens4", "ep1") } });
    }

    [TestCase("other", "ep1", "c1")]
    [TestCase("amf-0", "ep2", "c1")]
    [TestCase("amf-0", "ep1", "c2")]
    public async Task An_address_that_somebody_else_has_got_since_stays(string pod, string endpoint, string container)
    {
        Allocation(Address, endpoint, container, pod: pod);

        await ReleaseAsync(Record(IPAllocation(Address, "ep1") with { Uid = Guid.NewGuid().ToString() }));

        Names("IPAllocation").Should().Equal(Address);
        (await RecordAsync("c1")).Should().BeNull("what the record meant is gone");
    }

    [Test]
    public async Task What_was_deleted_and_made_again_for_the_same_sandbox_goes_with_it()
    {
        Allocation(Address, "ep1", "c1");
        Endpoint("ep1", "c1");
        var old = Guid.NewGuid().ToString();

        await ReleaseAsync(Record(DanmEp("ep1") with { Uid = old }, IPAllocation(Address, "ep1") with { Uid = old }));

        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [Test]
    public async Task Nobody_elses_address_is_freed_by_a_name_that_was_only_tried()
    {
        Allocation(Address, "other-ep", "c9", pod: "other");

        await ReleaseAsync(Record(IPAllocation(Address, "ep1")));

        Names("IPAllocation").Should().Equal(Address);
        (await RecordAsync("c1")).Should().BeNull("our create was refused, or will be");
    }

    [TestCase("Allocation")]
    [TestCase("DanmEp")]
    public async Task A_create_without_an_answer_is_looked_for_until_it_cannot_come_any_more(string kind)
    {
        var claim = kind == "DanmEp" ? DanmEp("ep1") : IPAllocation(Address, "ep1");
        await ReleaseAsync(Record(claim));
        (await RecordAsync("c1")).Should().BeEquivalentTo(new { Phase = SandboxPhase.Deferred, Claims = new[] { claim } });

        // It comes late; the next call on the node frees it.
        if (kind == "DanmEp")
            Endpoint("ep1", "c1");
        else
            Allocation(Address, "ep1", "c1");
        await RunDeferredAsync();
        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [TestCase("Allocation")]
    [TestCase("DanmEp")]
    public async Task What_may_come_again_is_looked_for_after_it_was_deleted(string kind)
    {
        void Make()
        {
            if (kind == "DanmEp")
                Endpoint("ep1", "c1");
            else
                Allocation(Address, "ep1", "c1");
        }

        Make();
        var uid = Server.Store.List("danm.io/v1", kind == "DanmEp" ? "DanmEp" : "IPAllocation").Single()["metadata"]!["uid"]!.GetValue<string>();
        var claim = (kind == "DanmEp" ? DanmEp("ep1") : IPAllocation(Address, "ep1")) with { Uid = uid, MayComeAgain = true };
        await ReleaseAsync(Record(claim));
        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeEquivalentTo(new { Phase = SandboxPhase.Deferred, Claims = new[] { claim with { Uid = null } } });

        Make();
        await RunDeferredAsync();
        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
    }

    [TestCase(80_000, false)]
    [TestCase(91_000, true)]
    public async Task After_the_servers_own_time_out_it_cannot_come(int age, bool forgotten)
    {
        using (var journal = await State.CreateAsync(PodUid, "c1"))
            journal.Defer(Record(IPAllocation(Address, "ep1")) with { Phase = SandboxPhase.Deferred, DeferredAt = NodeState.Uptime - age });

        await RunDeferredAsync();

        (await RecordAsync("c1") is null).Should().Be(forgotten);
        File.Exists(State.Mark($"{PodUid}_c1")).Should().Be(!forgotten);
    }

    [Test]
    public async Task Nor_after_a_reboot()
    {
        await State.DeferAsync(Record(IPAllocation(Address, "ep1")));
        var journal = State.Sandbox($"{PodUid}_c1");
        await File.WriteAllTextAsync(journal, (await File.ReadAllTextAsync(journal)).Replace(NodeState.BootId, Guid.NewGuid().ToString()));

        await RunDeferredAsync();

        (await RecordAsync("c1")).Should().BeNull();
    }

    [Test]
    public async Task Without_a_way_to_the_API_everything_is_deferred()
    {
        var record = Record(DanmEp("ep1"), IPAllocation(Address, "ep1") with { Uid = "u" });
        using (var journal = await State.CreateAsync(PodUid, "c1"))
        {
            journal.Write(record, durable: true);
            await Release(null, TimeSpan.FromSeconds(1)).RunAsync(journal, null, CancellationToken.None);
        }

        (await RecordAsync("c1")).Should().BeEquivalentTo(new { Phase = SandboxPhase.Deferred, record.Claims });
        LogText.Should().Contain("release deferred to the next call on this node").And.Contain($"IPAllocation/{Address}");
    }

    [Test]
    public async Task A_server_that_does_not_answer_costs_the_patience_and_no_more()
    {
        Endpoint("ep1", "c1");
        Server.Faults.Add(new Fault(_ => true) { Delay = TimeSpan.FromMinutes(5) });

        await ReleaseAsync(Record(DanmEp("ep1")), patience: TimeSpan.FromMilliseconds(300)).WaitAsync(TimeSpan.FromMinutes(1));

        (await RecordAsync("c1"))!.Phase.Should().Be(SandboxPhase.Deferred);
    }

    [Test]
    public async Task What_a_search_found_is_on_the_disk_before_the_first_of_it_goes()
    {
        Endpoint("ep1", "c1", allocations: Address);
        Allocation(Address, "ep1", "c1");
        SandboxRecord? then = null;
        Server.Faults.Add(new Fault(Fault.On("delete", "danmeps"))
        {
            Hold = async () =>
            {
                // The journal is locked, but not for cat.
                using var cat = Process.Start(new ProcessStartInfo("cat", State.Sandbox($"{PodUid}_c1")) { RedirectStandardOutput = true })!;
                then = Journal.Read(Encoding.UTF8.GetBytes(await cat.StandardOutput.ReadToEndAsync())).Last;
            },
        });

        await ReleaseAsync(Record() with { Search = true });

        then!.Claims.Select(c => c.Name).Should().BeEquivalentTo("ep1", Address);
        then.Search.Should().BeFalse();
        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [Test]
    public async Task A_search_that_got_no_answer_is_made_later()
    {
        Endpoint("ep1", "c1", allocations: Address);
        Allocation(Address, "ep1", "c1");
        Server.Faults.Add(new Fault(Fault.On("list")) { Answer = Fault.InternalError() });

        await DelAsync(Request(CniCommand.Del, "c1"));
        (await RecordAsync("c1")).Should().BeEquivalentTo(new { Phase = SandboxPhase.Deferred, Search = true });

        Server.Faults.Clear();
        await RunDeferredAsync();
        Names("DanmEp").Concat(Names("IPAllocation")).Should().BeEmpty();
        (await RecordAsync("c1")).Should().BeNull();
    }

    [Test]
    public async Task One_call_takes_on_sixteen_others_at_most_and_none_that_is_not_deferred()
    {
        for (var i = 0; i < 20; i++)
        {
            await State.DeferAsync(Record() with { ContainerId = $"d{i}" });
            File.SetLastWriteTimeUtc(State.Mark($"{PodUid}_d{i}"), new DateTime(2030, 1, 1, 0, i, 0, DateTimeKind.Utc));
        }

        // Marked by a call that ended before it wrote why.
        using (var journal = await State.CreateAsync(PodUid, "attached"))
            journal.Write(Record() with { ContainerId = "attached" }, durable: true);
        File.WriteAllText(State.Mark($"{PodUid}_attached"), "");
        File.SetLastWriteTimeUtc(State.Mark($"{PodUid}_attached"), new DateTime(2029, 1, 1, 0, 0, 0, DateTimeKind.Utc));

        await RunDeferredAsync("d0");

        Directory.GetFiles(Path.Combine(State.Folder, "sandboxes")).Select(f => Path.GetFileName(f).Split('_')[1]).Should().BeEquivalentTo(
            ["d0", "attached", "d16", "d17", "d18", "d19"]);
    }

    [Test]
    public async Task An_earlier_ADD_is_cleaned_up_before_the_next_and_what_may_still_come_is_told()
    {
        Endpoint("ep1", "c1");
        using var journal = await State.CreateAsync(PodUid, "c1");
        journal.Write(Record(DanmEp("ep1"), IPAllocation(Address, "ep1")), durable: true);

        var left = await Release(Api).CleanUpAsync(journal, "/run/netns/danm-none", CancellationToken.None);

        left.Should().Equal(IPAllocation(Address, "ep1"));
        Names("DanmEp").Should().BeEmpty();
    }

    [Test]
    public async Task An_earlier_ADD_that_cannot_be_cleaned_up_is_an_error()
    {
        Endpoint("ep1", "c1");
        Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = StatusException.Forbidden("no") });
        using var journal = await State.CreateAsync(PodUid, "c1");
        journal.Write(Record(DanmEp("ep1")), durable: true);

        (await Release(Api).Awaiting(r => r.CleanUpAsync(journal, "/run/netns/danm-none", CancellationToken.None))
            .Should().ThrowAsync<CniException>()).Which.Should().BeEquivalentTo(new { Code = CniErrorCode.TryAgainLater }).And.Match<CniException>(e => e.Details!.Contains("403"));
    }

    [Test]
    public async Task What_can_neither_be_released_nor_written_down_is_an_error()
    {
        Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = Fault.InternalError() });
        Endpoint("ep1", "c1");
        using var journal = await State.CreateAsync(PodUid, "c1");
        journal.Write(Record(DanmEp("ep1")), durable: true);
        Directory.Delete(Path.Combine(State.Folder, "deferred"));
        await File.WriteAllTextAsync(Path.Combine(State.Folder, "deferred"), "in the way");

        (await Release(Api).Awaiting(r => r.RunAsync(journal, null, CancellationToken.None))
            .Should().ThrowAsync<CniException>()).Which.Code.Should().Be(CniErrorCode.TryAgainLater);
    }

    private static SandboxRecord Record(params IReadOnlyList<ClaimRecord> claims) => new()
    {
        Phase = SandboxPhase.Attached, ConfigName = "danm", ContainerId = "c1", PodUid = PodUid, PodNamespace = "default", PodName = "amf-0", Claims = claims,
    };

    private static ClaimRecord DanmEp(string name) => new() { Kind = "DanmEp", Name = name, EndpointId = name };

    private static ClaimRecord IPAllocation(string name, string danmEp) => new() { Kind = "IPAllocation", Name = name, EndpointId = danmEp };

    private NodeCall Call(string containerId = "c1") => new(Request(CniCommand.Del, containerId), State.Node);

    private SandboxRelease Release(ApiClient? api, TimeSpan? patience = null) =>
        new(new ClaimRelease(api, Call().Log, patience ?? TimeSpan.FromSeconds(5)), new SandboxInterfaces(Call()));

    private async Task ReleaseAsync(SandboxRecord record, TimeSpan? patience = null)
    {
        using var journal = await State.CreateAsync(record.PodUid, record.ContainerId);
        journal.Write(record, durable: true);
        await Release(Api, patience).RunAsync(journal, null, CancellationToken.None);
    }

    private Task RunDeferredAsync(string containerId = "another") =>
        DeferredReleases.RunAsync(new NodeCall(Request(CniCommand.Del, containerId, podUid: null), State.Node), Api);
}
