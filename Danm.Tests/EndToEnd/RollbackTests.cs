using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// An ADD that fails after its first create takes everything back. What it cannot take back, and what may still come to be, its
/// journal names as deferred, and a later call on the node releases it.
/// </summary>
/// <remarks>The networks are on the loopback interface, which no kernel gives ipvlan children: without another failure ADD ends there.</remarks>
[TestFixture, Parallelizable]
public sealed class RollbackTests : HostFixture
{
    private const string Interfaces = """[{"network":"one","ip":"dynamic","ip6":"dynamic"},{"network":"two","ip":"10.2.0.7","ip6":"dynamic"}]""";

    // As long as an API server may take over a request that nobody waits for any more.
    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    private static readonly Case[] Cases =
    [
        new("the kernel refuses", 109, "kernel refused", "DanmNet/default/one", "DanmNet/default/two"),
        new("an address is somebody else's", 100, "10.2.0.7", "Pod other/stranger", "kernel refused") { Before = StoreStranger },
        new("a DanmEp of the name is there", 109, "kernel refused") { Before = StoreNamesake },
        new("there is no right to create addresses", 106, "ipallocations", "403") { Faults = () => [Forbidden(On("create", "ipallocations"))] },
        new("there is no right to create the second of four addresses", 100, "ipallocations", "403", "kernel refused") { Faults = () => [Forbidden(Nth(2, "create", "ipallocations"))] },
        new("there is no right to create DanmEps", 106, "danmeps", "403") { Faults = () => [Forbidden(On("create", "danmeps"))] },
        new("there is no right to create the second DanmEp", 100, "danmeps", "403", "kernel refused") { Faults = () => [Forbidden(Nth(2, "create", "danmeps"))] },
        new("creates of addresses meet conflicts", 106, "ipallocations", "409") { Faults = () => [new Fault(On("create", "ipallocations")) { Answer = Fault.Conflict() }] },
        new("DanmEps are there, and then are not", 106, "danmeps", "409") { Faults = () => [new Fault(On("create", "danmeps")) { Answer = new StatusException(409, "AlreadyExists", "exists") }], Deferred = true },
        new("one create of each kind is a 500", 109, "kernel refused") { Faults = () => [Error(Nth(1, "create", "ipallocations")), Error(Nth(1, "create", "danmeps"))], Deferred = true, Stays = (0, 0) },
        new("one create of each kind breaks before it commits", 109, "kernel refused") { Faults = () => [Broken(Nth(1, "create", "ipallocations")), Broken(Nth(1, "create", "danmeps"))], Deferred = true, Stays = (0, 0) },
        new("one create of each kind breaks after it has committed", 109, "kernel refused") { Faults = () => [Lost(Nth(1, "create", "ipallocations")), Lost(Nth(1, "create", "danmeps"))], Deferred = null, Stays = (0, 0) },
        new("all creates of addresses are a 500", 11, "ipallocations", "500") { Faults = () => [Error(On("create", "ipallocations"))], Deferred = true },
        new("all creates of DanmEps are a 500", 11, "danmeps", "500") { Faults = () => [Error(On("create", "danmeps"))], Deferred = true },
        new("all creates of addresses break before they commit", 11, "ipallocations") { Faults = () => [Broken(On("create", "ipallocations"))], Deferred = true },
        new("all creates of DanmEps break before they commit", 11, "danmeps") { Faults = () => [Broken(On("create", "danmeps"))], Deferred = true },
        new("all creates of addresses break after they have committed", 11, "ipallocations") { Faults = () => [Lost(On("create", "ipallocations"))], Deferred = true, Stays = (0, 0) },
        new("all creates of DanmEps break after they have committed", 11, "danmeps") { Faults = () => [Lost(On("create", "danmeps"))], Deferred = true, Stays = (0, 0) },
        new("the time is over in the creates of addresses", 11, "timeoutSeconds") { Faults = () => [Late(On("create", "ipallocations"))], Timeout = 3, Deferred = true },
        new("the time is over in the creates of DanmEps", 11, "timeoutSeconds") { Faults = () => [Late(On("create", "danmeps"))], Timeout = 3, Deferred = true },
        new("there is no right to delete DanmEps", 109, "kernel refused") { Faults = () => [Forbidden(On("delete", "danmeps"))], Deferred = true, Stays = (4, 2) },
        new("there is no right to delete addresses", 109, "kernel refused") { Faults = () => [Forbidden(On("delete", "ipallocations"))], Deferred = true, Stays = (4, 0) },
        new("all deletes are a 500", 109, "kernel refused") { Faults = () => [Error(On("delete", null))], Deferred = true, Stays = (4, 2) },
        new("one delete of each kind breaks after it has committed", 109, "kernel refused") { Faults = () => [Lost(Nth(1, "delete", "danmeps")), Lost(Nth(1, "delete", "ipallocations"))] },
        new("the server goes after the last address", 11, "API server") { Faults = () => [Broken(From("create", "danmeps"))], Timeout = 6, Deferred = true },
        new("the server goes before the first delete", 109, "kernel refused") { Faults = () => [Broken(From("delete", null))], Timeout = 6, Deferred = true, Stays = (4, 2) },
    ];

    private Sandbox pod = null!;

    [SetUp]
    public async Task MakePod()
    {
        foreach (var (name, number) in (ReadOnlySpan<(string, int)>)[("one", 1), ("two", 2)])
        {
            Node.Server.Store.Create(Objects.Network("DanmNet", name, $$$"""
                {"NetworkID":"{{{name}}}","Options":{"host_device":"lo","cidr":"10.{{{number}}}.0.0/24","net6":"fd00:{{{number}}}::/64"}}
                """));
        }

        pod = await Node.StartPodAsync(Objects.Pod("pod", Interfaces));
    }

    [TestCaseSource(nameof(Rows))]
    public async Task Everything_is_taken_back_when(Case row)
    {
        row.Before?.Invoke(Node, pod);
        var foreign = Node.Objects("IPAllocation").Count;
        foreach (var fault in row.Faults())
            Node.Server.Faults.Add(fault);
        var call = pod.Call("ADD");
        call.Config["timeoutSeconds"] = row.Timeout;
        var interfaces = await Node.InterfacesAsync();

        (await Node.CallAsync(call)).Failed(row.Code).Msg.Should().ContainAll(row.Says);

        (await Node.InterfacesAsync()).Should().Be(interfaces);
        if (!(row.Deferred ?? (await Node.JournalsAsync()).Count > 0))
        {
            Node.Objects().Should().HaveCount(foreign);
            (await Node.StateAsync()).Should().BeEmpty();
            return;
        }

        if (row.Stays is var (addresses, endpoints))
            (Node.Objects("IPAllocation").Count, Node.Objects("DanmEp").Count).Should().Be((addresses, endpoints));
        Names(Node.Objects()).Should().BeSubsetOf(await DeferredClaimsAsync(), "what stays must be written down");
        Node.Server.Faults.Clear();
        await NextCallAsync();
        Node.Objects().Should().BeEmpty("the next call on the node releases it");
        await NothingComesAnyMoreAsync();
    }

    [TestCase("ipallocations", "IPAllocation", Retries.Late)]
    [TestCase("danmeps", "DanmEp", Retries.Late)]
    [TestCase("ipallocations", "IPAllocation", Retries.Served)]
    [TestCase("danmeps", "DanmEp", Retries.Served)]
    [TestCase("ipallocations", "IPAllocation", Retries.Lost)]
    [TestCase("danmeps", "DanmEp", Retries.Lost)]
    public async Task What_commits_after_the_rollback_had_looked_is_released_by_the_next_call(string resource, string kind, Retries retries)
    {
        var commit = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(On("create", resource)) { Count = retries == Retries.Late ? int.MaxValue : 1, Hold = () => commit.Task });
        if (retries == Retries.Lost)
            Node.Server.Faults.Add(Lost(On("create", resource)));
        var call = pod.Call("ADD");
        call.Config["timeoutSeconds"] = retries == Retries.Late ? 3 : 6;

        (await Node.CallAsync(call)).Failed(retries == Retries.Served ? 109 : 11);

        Node.Objects().Should().BeEmpty();
        var claims = await DeferredClaimsAsync();
        commit.SetResult();
        for (var started = Stopwatch.StartNew(); Node.Objects(kind).Count == 0; await Task.Delay(20))
            started.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20), "the held creates must commit");
        Names(Node.Objects()).Should().BeSubsetOf(claims);
        Node.Server.Faults.Clear();
        for (var last = -1L; last != Node.Server.Store.ResourceVersion; await Task.Delay(200))
            last = Node.Server.Store.ResourceVersion;
        await NextCallAsync();
        Node.Objects().Should().BeEmpty();
        await NothingComesAnyMoreAsync();
    }

    /// <summary>What becomes of those that follow a first create without an answer.</summary>
    public enum Retries
    {
        /// <summary>They too commit when nobody waits for them any more.</summary>
        Late,

        /// <summary>The next one is answered.</summary>
        Served,

        /// <summary>They commit at once, but their answers are lost.</summary>
        Lost,
    }

    private static IEnumerable<TestCaseData> Rows() => Cases.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    private async Task<IReadOnlyList<string>> DeferredClaimsAsync()
    {
        var journal = (await Node.JournalsAsync()).Should().ContainSingle().Which;
        ((string?)journal["Phase"]).Should().Be("Deferred");
        (await Node.ShellAsync("ls /var/lib/cni/danm/deferred")).Should().Be($"{pod.Uid}_{pod.ContainerId}\n");
        return [.. journal["Claims"]!.AsArray().Select(c => (string)c!["Name"]!)];
    }

    private async Task NothingComesAnyMoreAsync()
    {
        if ((await Node.StateAsync()).Length > 0)
        {
            await Node.PassTimeAsync(MayStillCome);
            await NextCallAsync();
        }

        (await Node.StateAsync()).Should().BeEmpty();
        Node.Objects().Should().BeEmpty();
    }

    /// <summary>A call for a Pod that nobody knows: all it can do is what earlier calls could not.</summary>
    private async Task NextCallAsync() => (await Node.CallAsync(new CniCall("DEL")
    {
        ContainerId = "unknown",
        Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=unknown",
        Config = Node.Config(),
    })).Succeeded();

    private static IEnumerable<string> Names(IEnumerable<JsonObject> objects) => objects.Select(o => (string)o["metadata"]!["name"]!);

    private static void StoreStranger(HostNode node, Sandbox pod) => node.Server.Store.Create(JsonNode.Parse("""
        {"apiVersion":"danm.io/v1","kind":"IPAllocation","metadata":{"name":"10-2-0-7.untagged.lo"},
         "spec":{"network":{"kind":"DanmNet","namespace":"default","name":"two"},"address":"10.2.0.7/24","nodeName":"node-2",
                 "owner":{"namespace":"other","pod":"stranger","podUID":"u","containerID":"c","interface":"eth0","danmEp":"e"}}}
        """)!);

    private static void StoreNamesake(HostNode node, Sandbox pod) => node.Server.Store.Create(JsonNode.Parse($$$"""
        {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"namespace":"default","name":"{{{EndpointId.For(pod.Uid, pod.ContainerId, "eth0")}}}"},
         "spec":{"NetworkName":"other","NetworkType":"ipvlan","EndpointID":"x","Interface":{"Name":"eth9","Address":"10.9.0.9/24"},"Pod":"stranger","apiType":"DanmNet"}}
        """)!);

    private static Fault Forbidden(Predicate<RequestRecord> on) => new(on) { Answer = StatusException.Forbidden("forbidden by a test") };

    private static Fault Error(Predicate<RequestRecord> on) => new(on) { Answer = Fault.InternalError() };

    private static Fault Broken(Predicate<RequestRecord> on) => new(on) { DropBefore = true };

    private static Fault Lost(Predicate<RequestRecord> on) => new(on) { DropAfter = true };

    private static Fault Late(Predicate<RequestRecord> on) => new(on) { Delay = TimeSpan.FromMinutes(1) };

    private static Predicate<RequestRecord> On(string verb, string? resource) => Fault.On(verb, resource);

    private static Predicate<RequestRecord> Nth(int number, string verb, string? resource)
    {
        var seen = 0;
        return r => r.Verb == verb && r.Resource == resource && Interlocked.Increment(ref seen) == number;
    }

    /// <summary>The first such request, and whatever comes after it.</summary>
    private static Predicate<RequestRecord> From(string verb, string? resource)
    {
        var begun = false;
        return r => begun |= r.Verb == verb && (resource is null || r.Resource == resource);
    }

    /// <param name="Name">What goes wrong.</param>
    /// <param name="Code">The error's code.</param>
    /// <param name="Says">What its message holds.</param>
    public sealed record Case(string Name, int Code, params string[] Says)
    {
        internal Action<HostNode, Sandbox>? Before { get; init; }

        /// <summary>New ones for each run, since they count.</summary>
        public Func<IReadOnlyList<Fault>> Faults { get; init; } = () => [];

        /// <summary>Seconds.</summary>
        public int Timeout { get; init; } = 30;

        /// <summary>Whether the release, or part of it, is left to a later call; null: that depends on what else was under way.</summary>
        public bool? Deferred { get; init; } = false;

        /// <summary>How many IPAllocations and DanmEps stay until then, where that is certain.</summary>
        public (int Addresses, int Endpoints)? Stays { get; init; }

        public override string ToString() => Name;
    }
}
