namespace Danm.Tests.EndToEnd;

/// <summary>What an ADD and a DEL cost, counted: messages to the kernel, system calls, API requests.</summary>
[TestFixture, Parallelizable]
public sealed class BudgetTests : GuestFixture
{
    private const int Most = 5;

    /// <summary>How much more system calls a run may make than the measured one: threads, memory and pieces of the stream differ from run to run.</summary>
    private const double Tolerance = 1.25;

    private static readonly Budget[] Budgets =
    [
        new("ADD", Interfaces: 1)
        {
            Requests = new() { ["get pods"] = 1, ["list danmeps"] = 1, ["get danmnets"] = 1, ["create ipallocations"] = 2, ["create danmeps"] = 1 },
            Messages = new() { ["RTM_GETLINK"] = 3, ["RTM_NEWLINK"] = 1, ["RTM_NEWADDR"] = 2, ["RTM_SETLINK"] = 1, ["RTM_NEWROUTE"] = 1, ["RTM_NEWRULE"] = 1 },
            Sends = 5,
            SystemCalls = 590,
        },
        new("ADD", Interfaces: 5)
        {
            Requests = new() { ["get pods"] = 1, ["list danmeps"] = 1, ["get danmnets"] = 5, ["create ipallocations"] = 10, ["create danmeps"] = 5 },
            Messages = new() { ["RTM_GETLINK"] = 15, ["RTM_NEWLINK"] = 5, ["RTM_NEWADDR"] = 10, ["RTM_SETLINK"] = 5, ["RTM_NEWROUTE"] = 5, ["RTM_NEWRULE"] = 5 },
            Sends = 25,
            SystemCalls = 830,
        },
        new("DEL", Interfaces: 1)
        {
            Requests = new() { ["delete danmeps"] = 1, ["delete ipallocations"] = 2 },
            Messages = new() { ["RTM_GETRULE"] = 1, ["RTM_GETLINK"] = 1, ["RTM_GETADDR"] = 1, ["RTM_DELLINK"] = 1, ["RTM_DELRULE"] = 1 },
            Sends = 5,
            SystemCalls = 520,
        },
        new("DEL", Interfaces: 5)
        {
            Requests = new() { ["delete danmeps"] = 5, ["delete ipallocations"] = 10 },
            Messages = new() { ["RTM_GETRULE"] = 1, ["RTM_GETLINK"] = 5, ["RTM_GETADDR"] = 5, ["RTM_DELLINK"] = 5, ["RTM_DELRULE"] = 5 },
            Sends = 21,
            SystemCalls = 590,
        },
    ];

    private static IEnumerable<TestCaseData> Cases =>
        Budgets.Select(b => new TestCaseData(b) { TestName = $"{b.Command}_of_{b.Interfaces}_interface{(b.Interfaces == 1 ? "" : "s")}_keeps_to_its_budget" });

    [OneTimeSetUp]
    public void MakeNetworks()
    {
        for (var i = 0; i < Most; i++)
            Network("DanmNet", $"net{i}", $$"""{"cidr":"10.{{80 + i}}.0.0/24","net6":"fd00:{{80 + i}}::/64","rt_tables":{{80 + i}}}""");
    }

    [TestCaseSource(nameof(Cases))]
    public async Task Keeps_to_its_budget(Budget budget)
    {
        var pod = await PodAsync($"{budget.Command.ToLowerInvariant()}-{budget.Interfaces}", Interfaces(budget.Interfaces));
        if (budget.Command == "DEL")
            (await pod.AddAsync()).Succeeded();
        Node.Server.Requests.Clear();

        var (outcome, trace) = await SystemCallTrace.RunAsync(Node, pod.Call(budget.Command));

        outcome.Succeeded();
        var requests = Node.Server.Requests.All;
        await TestContext.Progress.WriteLineAsync($"{budget.Command} {budget.Interfaces}: {trace}");
        requests.CountBy(r => $"{r.Verb} {r.Resource}").ToDictionary().Should().BeEquivalentTo(budget.Requests, "{0}", requests);
        requests.Select(r => r.Connection).Distinct().Should().ContainSingle("one connection carries them all");
        trace.Messages.Should().BeEquivalentTo(budget.Messages);
        trace.Sends.Should().HaveCount(budget.Sends, "what belongs to an interface travels together");
        trace.Calls.Count.Should().BeLessThanOrEqualTo((int)(budget.SystemCalls * Tolerance), "{0}", trace);
        if (budget.Command == "ADD")
            (await pod.DelAsync()).Succeeded();
    }

    [Test]
    public async Task The_requests_of_each_step_are_in_flight_at_once()
    {
        Gathering[] add =
        [
            new(Node, 1 + 1, "get pods", "list danmeps"),
            new(Node, Most, "get danmnets"),
            new(Node, 2 * Most, "create ipallocations"),
            new(Node, Most, "create danmeps"),
        ];
        var pod = await AddAsync("at-once", Interfaces(Most));
        add.Should().AllSatisfy(g => g.Most.Should().Be(g.Expected, "these go out at once: {0}", g.What));

        Gathering[] del = [new(Node, Most, "delete danmeps"), new(Node, 2 * Most, "delete ipallocations")];
        (await pod.DelAsync()).Succeeded();
        del.Should().AllSatisfy(g => g.Most.Should().Be(g.Expected, "these go out at once: {0}", g.What));
    }

    [TestCase("none", 0, 2, "ipallocations ipallocations danmeps ipallocations ipallocations danmeps ipallocations ipallocations danmeps", TestName = "Parallel_none_takes_one_network_after_the_other")]
    [TestCase("others", 2, 4, "ipallocations ipallocations danmeps ipallocations ipallocations ipallocations ipallocations danmeps danmeps", TestName = "Parallel_others_takes_the_first_network_before_the_rest")]
    public async Task Order_is_as_configured(string parallel, int before, int atOnce, string creates)
    {
        var addresses = new Gathering(Node, atOnce, "create ipallocations") { Skip = before };
        var config = Node.Config();
        config["parallel"] = parallel;
        var pod = await PodAsync($"parallel-{parallel}", Interfaces(3));
        Node.Server.Requests.Clear();

        (await Node.CallAsync(pod.Call("ADD") with { Config = config })).Succeeded();

        string.Join(' ', Node.Server.Requests.Where("create").Select(r => r.Resource)).Should().Be(creates);
        addresses.Most.Should().Be(atOnce);
        (await pod.DelAsync()).Succeeded();
    }

    private static string Interfaces(int count) => $"[{string.Join(',', Enumerable.Range(0, count).Select(i => $$$"""
        {"network":"net{{{i}}}","ip":"dynamic","ip6":"dynamic","proutes":{"10.200.{{{i}}}.0/24":"10.{{{80 + i}}}.0.254"}}
        """))}]";

    /// <summary>What one call may cost. Its figures are measured ones.</summary>
    public sealed record Budget(string Command, int Interfaces)
    {
        /// <summary>Netlink messages by type, exactly.</summary>
        public required Dictionary<string, int> Messages { get; init; }

        /// <summary>Sends that carry those, exactly.</summary>
        public required int Sends { get; init; }

        /// <summary>System calls of all threads, as <see cref="SystemCallTrace"/> counts them; within <see cref="Tolerance"/>.</summary>
        public required int SystemCalls { get; init; }

        /// <summary>API requests by verb and resource, exactly.</summary>
        public required Dictionary<string, int> Requests { get; init; }
    }
}
