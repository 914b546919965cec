using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// Every API call of ADD and of DEL meets every trouble once: of a Pod with one dual-stack macvlan interface, and those that are made
/// only where a plugin has addresses of its own, or no interface that the kernel knows. Afterwards DEL, or GC in its place, and for what
/// they name as deferred the next call on the node, leave nothing.
/// </summary>
[TestFixture]
public sealed class FaultMatrixTests : ScriptedDelegateFixture
{
    private const string Dynamic = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"}]""";

    private const string OwnAddress = """[{"network":"own"}]""";

    private const string OutsideKernel = """[{"network":"ghost"}]""";

    private const string Bridge = """
        {"cniVersion":"1.0.0","name":"own","type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}
        """;

    // An API server may carry out what it was sent for so long after nobody waits for it any more.
    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    private static readonly ApiCall[] AddCalls =
    [
        new("get", "pods"), new("list", "danmeps"), new("get", "danmnets"), new("create", "ipallocations"), new("create", "ipallocations", 2), new("create", "danmeps"),
        new("patch", "danmeps") { Interfaces = OwnAddress }, new("create", "events") { Interfaces = OutsideKernel },
    ];

    private static readonly ApiCall[] DelCalls = [new("delete", "danmeps"), new("delete", "ipallocations"), new("delete", "ipallocations", 2)];

    public enum Trouble
    {
        Conflict,
        TooManyRequests,
        InternalError,
        ResetBefore,
        ResetAfter,
        Delay,
        Kill,
    }

    [SetUp]
    public async Task MakeNetworks()
    {
        await Node.ShellAsync("ip link delete br0 2>/dev/null; true");
        MacvlanNetwork();
        await FileAsync("own.conf", Bridge);
        Node.Server.Store.Create(Objects.Network("DanmNet", "own", """{"NetworkID":"own","NetworkType":"bridge"}"""));
        await DelegateAsync("ghost", Answer);
    }

    [TestCase(Dynamic)]
    [TestCase(OwnAddress)]
    [TestCase(OutsideKernel)]
    public async Task The_matrix_has_every_call_that_ADD_and_DEL_make(string interfaces)
    {
        var pod = await PodAsync(interfaces);
        Node.Server.Requests.Clear();

        (await AddAsync(pod)).Succeeded();

        ExpectRequestsOf(AddCalls);
        Node.Server.Requests.Clear();

        (await DelAsync(pod)).Succeeded();

        ExpectRequestsOf(DelCalls);

        void ExpectRequestsOf(IReadOnlyList<ApiCall> calls)
        {
            var requests = Node.Server.Requests.All.Select(r => $"{r.Verb} {r.Resource}").ToList();
            if (interfaces == Dynamic)
                requests.Should().BeEquivalentTo(calls.Where(c => c.Interfaces == Dynamic).Select(c => $"{c.Verb} {c.Resource}"));
            else
                requests.Should().BeSubsetOf(calls.Select(c => $"{c.Verb} {c.Resource}"));
        }
    }

    [TestCaseSource(nameof(AddRows))]
    public async Task ADD_leaves_nothing_behind_when(ApiCall call, Trouble trouble, bool gc)
    {
        var pod = await PodAsync(call.Interfaces);

        var add = await MeetAsync(call, trouble, pod, "ADD");

        // A conflict is no answer to any of its requests: nobody else writes them. An Event is not what the call is for.
        if (trouble == Trouble.Conflict && call.Resource != "events")
            add.Failed(106).Msg.Should().Contain(call.Resource).And.Contain("409");
        else if (trouble != Trouble.Kill)
            add.Succeeded();
        await ExpectReleasedAsync(pod, gc);
    }

    [TestCaseSource(nameof(DelRows))]
    public async Task DEL_leaves_nothing_behind_when(ApiCall call, Trouble trouble, bool gc)
    {
        var pod = await PodAsync(call.Interfaces);
        (await AddAsync(pod)).Succeeded();

        var del = await MeetAsync(call, trouble, pod, "DEL");

        if (trouble != Trouble.Kill)
            del.Succeeded();
        await ExpectNoInterfaceAsync(pod);
        await ExpectReleasedAsync(pod, gc);
    }

    private static IEnumerable<TestCaseData> AddRows() => Rows(AddCalls);

    private static IEnumerable<TestCaseData> DelRows() => Rows(DelCalls);

    // In every second row it is GC that cleans up: each trouble, and each call, meets both.
    private static IEnumerable<TestCaseData> Rows(IReadOnlyList<ApiCall> calls) =>
        from call in calls.Index()
        from trouble in Enum.GetValues<Trouble>()
        let gc = (call.Index + (int)trouble) % 2 == 1
        select new TestCaseData(call.Item, trouble, gc).SetArgDisplayNames($"{call.Item}, {trouble}, then {(gc ? "GC" : "DEL")}");

    /// <summary>Makes the runtime's call, one request of which meets the trouble.</summary>
    private async Task<CniOutcome> MeetAsync(ApiCall request, Trouble trouble, Sandbox pod, string command)
    {
        Process? process = null;
        var matches = request.Matching();
        var fault = Node.Server.Faults.Add(trouble switch
        {
            Trouble.Conflict => new Fault(matches) { Count = 1, Answer = Fault.Conflict() },
            Trouble.TooManyRequests => new Fault(matches) { Count = 1, Answer = Fault.TooManyRequests(TimeSpan.FromSeconds(1)) },
            Trouble.InternalError => new Fault(matches) { Count = 1, Answer = Fault.InternalError() },
            Trouble.ResetBefore => new Fault(matches) { Count = 1, DropBefore = true },
            Trouble.ResetAfter => new Fault(matches) { Count = 1, DropAfter = true },
            Trouble.Delay => new Fault(matches) { Count = 1, Delay = TimeSpan.FromSeconds(5) },
            _ => new Fault(matches) { Count = 1, Committed = () => process!.Kill() },
        });
        var call = Call(pod, command);
        // A third of it is what one request gets: less than the delay, so that there is a second attempt.
        if (trouble == Trouble.Delay)
            call.Config["timeoutSeconds"] = 6;

        var outcome = await Node.CallAsync(call, p => process = p);

        fault.Hits.Should().Be(1);
        if (trouble == Trouble.Kill)
            outcome.ExitCode.Should().Be(128 + 9);
        return outcome;
    }

    private async Task ExpectReleasedAsync(Sandbox pod, bool gc)
    {
        (await Node.CallAsync(gc ? Gc() : Call(pod, "DEL"))).Succeeded();

        await ExpectNoInterfaceAsync(pod);
        var journals = await Node.JournalsAsync();
        journals.Should().NotContain(j => (string?)j["Phase"] != "Deferred");
        Node.Objects().Select(o => (string)o["metadata"]!["name"]!).Should().BeSubsetOf(
            journals.SelectMany(j => j["Claims"]!.AsArray()).Select(c => (string)c!["Name"]!), "what stays must be written down");
        if (journals.Count > 0)
        {
            await Node.PassTimeAsync(MayStillCome);
            await NextCallAsync();
        }

        await ExpectNothingLeftAsync(pod);
        (await Node.ShellAsync("ls /run/leases/own 2>/dev/null | grep '^10' || true")).Should().BeEmpty();
    }

    /// <summary>GC of a runtime that has no container left.</summary>
    private CniCall Gc()
    {
        var config = Node.Config("1.1.0");
        config["cniDir"] = "/run/cni";
        config["cni.dev/valid-attachments"] = new JsonArray();
        return new CniCall("GC") { IfName = null, Config = config, Path = PluginPath };
    }

    /// <param name="Verb">As the server's log has it.</param>
    /// <param name="Resource">The same.</param>
    /// <param name="Number">Which of several.</param>
    public sealed record ApiCall(string Verb, string Resource, int Number = 1)
    {
        /// <summary>What the Pod asks for.</summary>
        public string Interfaces { get; init; } = Dynamic;

        /// <summary>Counts anew.</summary>
        internal Predicate<RequestRecord> Matching()
        {
            var seen = 0;
            return r => r.Verb == Verb && r.Resource == Resource && Interlocked.Increment(ref seen) == Number;
        }

        public override string ToString() => $"{Verb} {Resource}{(Number > 1 ? $" no. {Number}" : "")}";
    }
}
