using System.Text.Json.Nodes;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>The pass over nodes that are gone, against an API Server.</summary>
public sealed class GoneNodeGarbageTests : GarbageFixture
{
    private static readonly GoneNodeOptions Options = new() { DeletesPerSecond = 1_000_000 };

    private ManualClock clock = null!;
    private GoneNodeGarbage garbage = null!;

    [SetUp]
    public void NewController()
    {
        clock = new ManualClock();
        garbage = new GoneNodeGarbage(Api, Options, clock);
        Server.Requests.Clear();
    }

    [TearDown]
    public void Clear()
    {
        Server.Faults.Clear();
        foreach (var (version, kind) in ((string, string)[])[("danm.io/v1", "DanmEp"), ("danm.io/v1", "IPAllocation"), ("v1", "Node"), ("v1", "Event")])
        {
            foreach (var item in Server.Store.List(version, kind))
                Server.Store.Delete(version, kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    [Test]
    public async Task What_an_absent_node_made_goes_once_the_grace_is_over_and_nothing_else()
    {
        Node("there");
        Attach("of-there", "there");
        Attach("of-gone", "gone");
        Attach("of-nobody", null);
        Attach("imported", "gone", imported: true);

        (await PassAsync()).Should().BeEquivalentTo(new { Endpoints = 0, Allocations = 0, Nodes = new Dictionary<string, NodeFate> { ["gone"] = NodeFate.Absent } });
        clock.Pass(Options.Grace + TimeSpan.FromSeconds(1));
        var done = await PassAsync();

        done.Should().BeEquivalentTo(new { Endpoints = 1, Allocations = 1, Nodes = new Dictionary<string, NodeFate> { ["gone"] = NodeFate.Gone } });
        done.Failures.Should().BeEmpty();
        Left("IPAllocation").Should().BeEquivalentTo("of-there", "of-nobody", "imported");
        Left("DanmEp").Should().BeEquivalentTo("of-there", "of-nobody", "imported");
        Server.Requests.Where("delete", "ipallocations")[0].Started.Should().BeGreaterThan(Server.Requests.Where("delete", "danmeps")[0].Ended!.Value);
    }

    [Test]
    public async Task One_that_came_back_in_between_must_be_absent_for_the_whole_grace_anew()
    {
        Attach("a", "node");
        await PassAsync();
        clock.Pass(Options.Grace / 2);
        Node("node");
        await PassAsync();
        Server.Store.Delete("v1", "Node", null, "node");
        clock.Pass((Options.Grace / 2) + TimeSpan.FromSeconds(1));
        await PassAsync();
        Left("IPAllocation").Should().Equal("a");

        clock.Pass(Options.Grace + TimeSpan.FromSeconds(1));
        await PassAsync();
        Left("IPAllocation").Should().BeEmpty();
    }

    [Test]
    public async Task So_must_one_that_came_back_between_two_passes_if_anybody_saw_it()
    {
        Attach("a", "node");
        (await PassAsync()).NextDue.Should().BeCloseTo(Options.Grace, TimeSpan.FromSeconds(5));
        clock.Pass(Options.Grace - TimeSpan.FromMinutes(1));
        garbage.NotePresent("node");
        clock.Pass(TimeSpan.FromMinutes(2));

        (await PassAsync()).NextDue.Should().BeCloseTo(Options.Grace, TimeSpan.FromSeconds(5));
        Left("IPAllocation").Should().Equal("a");
    }

    [Test]
    public async Task Says_of_each_node_what_was_freed_and_when_to_look_again()
    {
        Node("down", "False", taint: true);
        Attach("a", "down");
        Attach("b", "down");
        Attach("c", "absent");
        await PassAsync();
        Attach("d", "down");
        clock.Pass(Options.Grace - TimeSpan.FromMinutes(1));

        var result = await PassAsync();

        result.Freed.Should().Equal(new Dictionary<string, int> { ["down"] = 2 });
        result.NextDue.Should().BeCloseTo(TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5));
        clock.Pass(TimeSpan.FromMinutes(2));
        (await PassAsync()).Should().BeEquivalentTo(new { NextDue = (TimeSpan?)null, Freed = new Dictionary<string, int> { ["absent"] = 2 } });
    }

    [Test]
    public async Task A_Node_that_is_made_while_the_pass_runs_loses_nothing()
    {
        Attach("a", "node");
        await PassAsync();
        clock.Pass(Options.Grace + TimeSpan.FromSeconds(1));
        Server.Faults.Add(new Fault(Fault.On("list", "danmeps")) { Count = 1, Hold = () => { Node("node"); return Task.CompletedTask; } });

        (await PassAsync()).Nodes.Should().BeEmpty();

        Left("IPAllocation").Should().Equal("a");
    }

    [Test]
    public async Task An_object_that_has_taken_the_name_since_stays()
    {
        Node("down", "False", taint: true);
        Attach("a", "down");
        Server.Faults.Add(new Fault(Fault.On("get", "nodes")) { Count = 1, Hold = () => { Forget("a"); Attach("a", "other"); return Task.CompletedTask; } });
        Node("other");

        await PassAsync();

        Left("IPAllocation").Should().Equal("a");
    }

    [Test]
    public async Task A_node_that_is_shut_down_by_the_operators_word_needs_no_grace()
    {
        Node("down", "Unknown", taint: true);
        Attach("a", "down");

        await PassAsync();

        Left("IPAllocation").Should().BeEmpty();
        Left("DanmEp").Should().BeEmpty();
    }

    [Test]
    public async Task A_tainted_node_that_is_Ready_loses_nothing_and_gets_one_Event()
    {
        Node("odd", "True", taint: true);
        Attach("a", "odd");

        await PassAsync();
        clock.Pass(TimeSpan.FromDays(1));
        (await PassAsync()).Nodes.Should().Contain("odd", NodeFate.TaintedButReady);

        Left("IPAllocation").Should().Equal("a");
        var e = Server.Store.List("v1", "Event").Should().ContainSingle().Which;
        e.At("involvedObject", "name").String().Should().Be("odd");
        e["message"].String().Should().Contain("out-of-service").And.Contain("Ready");
    }

    [Test]
    public async Task While_a_DanmEp_stays_its_address_stays_and_no_others()
    {
        Node("down", "False", taint: true);
        Attach("a", "down");
        Attach("b", "down");
        Server.Faults.Add(new Fault(Fault.On("delete", "danmeps", "a")) { Answer = new StatusException(403, "Forbidden", "no") });

        var result = await PassAsync();

        result.Failures.Should().ContainSingle().Which.Should().Contain("403");
        Left("DanmEp").Should().Equal("a");
        Left("IPAllocation").Should().Equal("a");
    }

    [Test]
    public async Task When_Nodes_cannot_be_listed_nothing_is_freed()
    {
        Attach("a", "gone");
        await PassAsync();
        clock.Pass(Options.Grace + TimeSpan.FromSeconds(1));
        Server.Faults.Add(new Fault(Fault.On("list", "nodes")) { Answer = new StatusException(403, "Forbidden", "no") });

        await this.Invoking(t => t.PassAsync()).Should().ThrowAsync<ApiException>();

        Left("IPAllocation").Should().Equal("a");
    }

    [Test]
    public async Task A_lost_rack_is_read_in_pages_and_deleted_a_few_at_a_time()
    {
        Node("down", "False", taint: true);
        Server.Store.Load("danm.io/v1", "IPAllocation", Enumerable.Range(0, 1100).Select(i => Allocation($"a{i}", "down", $"10.0.{i / 250}.{i % 250}")));

        (await PassAsync()).Allocations.Should().Be(1100);

        Server.Store.Count("danm.io/v1", "IPAllocation").Should().Be(0);
        Server.Requests.Where("list", "ipallocations").Should().HaveCountGreaterThanOrEqualTo(3).And.OnlyContain(r => r.Query.Contains("limit=500"));
        Server.Requests.Where("get", "nodes").Should().ContainSingle();
        Server.Requests.Where("delete", "ipallocations").Max(r => r.Concurrency).Should().BeLessThanOrEqualTo(Options.AtOnce);
    }

    [Test]
    public void Deletes_begin_evenly()
    {
        var still = new StillClock();
        var pace = new Pace(50, still);

        var waits = Enumerable.Range(0, 4).Select(_ => pace.WaitAsync(CancellationToken.None)).ToList();

        waits[0].IsCompleted.Should().BeTrue();
        still.Timers.Select(t => t.TotalMilliseconds).Should().Equal(20, 40, 60);
    }

    private Task<GoneNodeResult> PassAsync() => garbage.RunAsync(CancellationToken.None);

    private IEnumerable<string> Left(string kind) => Server.Store.List("danm.io/v1", kind)
        .Select(o => (kind == "DanmEp" ? o.At("spec", "Pod") : o.At("spec", "owner", "pod")).String()!);

    // A status is written apart from the rest.
    private void Node(string name, string ready = "True", bool taint = false)
    {
        var node = Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = new JsonObject { ["taints"] = taint ? new JsonArray(new JsonObject { ["key"] = "node.kubernetes.io/out-of-service", ["effect"] = "NoExecute" }) : null },
        });
        node["status"] = new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready }) };
        Server.Store.Update(node);
    }


    private void Attach(string pod, string? node, bool imported = false)
    {
        var allocation = Allocation(pod, node, "10.0.0.5");
        var endpoint = new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = pod, ["namespace"] = "default" },
            ["spec"] = new JsonObject { ["NetworkName"] = "n", ["EndpointID"] = pod, ["Pod"] = pod, ["Host"] = "a-host", ["nodeName"] = node },
        };
        if (imported)
        {
            allocation["metadata"]!["annotations"] = new JsonObject { ["danm.io/imported"] = "true" };
            endpoint["metadata"]!["annotations"] = new JsonObject { ["danm.io/imported"] = "true" };
        }

        Server.Store.Create(endpoint);
        Server.Store.Create(allocation);
    }

    private void Forget(string pod)
    {
        Server.Store.Delete("danm.io/v1", "DanmEp", "default", pod);
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, $"10-0-0-5.untagged.{pod}");
    }

    private static JsonObject Allocation(string pod, string? node, string address) => new()
    {
        ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation", ["metadata"] = new JsonObject { ["name"] = $"{address.Replace('.', '-')}.untagged.{pod}" },
        ["spec"] = new JsonObject
        {
            ["network"] = new JsonObject { ["kind"] = "ClusterNetwork", ["name"] = "n" }, ["address"] = $"{address}/16", ["nodeName"] = node,
            ["owner"] = new JsonObject { ["namespace"] = "default", ["pod"] = pod, ["podUID"] = "u", ["danmEp"] = pod },
        },
    };

    /// <summary>A clock on which no time passes, and which notes what is waited for.</summary>
    private sealed class StillClock : TimeProvider
    {
        public List<TimeSpan> Timers { get; } = [];

        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Timers.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
