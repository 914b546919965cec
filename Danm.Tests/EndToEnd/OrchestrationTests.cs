using System.Diagnostics;

namespace Danm.Tests.EndToEnd;

/// <summary>Several delegates of one Pod: which run at once, what one that fails or hangs does to the others, and what is left of them.</summary>
[TestFixture]
public sealed class OrchestrationTests : ScriptedDelegateFixture
{
    private const string Four = """[{"network":"d0"},{"network":"d1"},{"network":"d2"},{"network":"d3"}]""";

    // A duration that no other process of the machine sleeps for.
    private const string Forever = "86399.25";

    [Test]
    public async Task All_at_once_four_delegates_of_a_second_take_a_second()
    {
        var (adds, dels) = await RunFourAsync("all");

        ExpectAtOnce(adds);
        ExpectAtOnce(dels);
        (adds.Max(r => r.End) - adds.Min(r => r.Begin)).Should().BeLessThan(1.5);
    }

    [Test]
    public async Task With_others_the_first_is_done_before_the_rest_begins_at_once()
    {
        var (adds, _) = await RunFourAsync("others");

        adds[0].Plugin.Should().Be("d0");
        adds.Skip(1).Should().OnlyContain(r => r.Begin >= adds[0].End);
        ExpectAtOnce([.. adds.Skip(1)]);
    }

    [Test]
    public async Task With_none_each_waits_for_the_one_before()
    {
        var (adds, dels) = await RunFourAsync("none");

        adds.Select(r => r.Plugin).Should().Equal("d0", "d1", "d2", "d3");
        dels.Select(r => r.Plugin).Should().Equal("d3", "d2", "d1", "d0");
        foreach (var runs in (ReadOnlySpan<IReadOnlyList<DelegateRun>>)[adds, dels])
            runs.Zip(runs.Skip(1)).Should().OnlyContain(pair => pair.Second.Begin >= pair.First.End);
    }

    [TestCase("sleep " + Forever, TestName = "{m}(it sleeps)")]
    [TestCase("sleep " + Forever + " & wait", TestName = "{m}(its child sleeps)")]
    [TestCase("setsid sleep " + Forever + " & wait", TestName = "{m}(its child has left its session)")]
    [TestCase("(setsid bash -c 'sleep " + Forever + " & sleep " + Forever + "' &); sleep " + Forever, TestName = "{m}(its orphans have left its session)")]
    [TestCase("trap '' TERM INT HUP; while true; do sleep " + Forever + "; done", TestName = "{m}(it ignores signals)")]
    public async Task One_that_hangs_is_killed_at_the_time_out_with_all_it_started_and_the_rest_is_rolled_back(string hang)
    {
        MacvlanNetwork();
        await DelegateAsync("hang", hang);
        var pod = await PodAsync("""[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"hang"}]""");
        var started = Stopwatch.StartNew();

        (await AddAsync(pod, timeout: 3)).Failed(11).Msg.Should().Contain("'hang'").And.Contain("DanmNet/default/hang").And.Contain("timeoutSeconds").And.NotContain("mv");

        started.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(2.9)).And.BeLessThan(TimeSpan.FromSeconds(10));
        await ExpectNoProcessAsync($"sleep {Forever}");
        (await CallsAsync()).Select(r => $"{r.Command} {r.Plugin}").Should().Equal("ADD hang", "DEL hang");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task All_that_fail_are_reported_and_what_succeeded_is_rolled_back()
    {
        MacvlanNetwork();
        await DelegateAsync("well", MakeInterface);
        await DelegateAsync("first", """echo '{"cniVersion":"1.0.0","code":7,"msg":"the first has no key","details":"of the first"}'; return 1""");
        await DelegateAsync("second", "echo the second broke >&2; return 3");
        var pod = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"first"},{"network":"well"},{"network":"second"}]""");

        var failure = (await AddAsync(pod)).Failed(111);

        failure.Msg.Should().Contain("2 of 4 networks")
            .And.Contain("DanmNet/default/first").And.Contain("'first' ADD: the first has no key")
            .And.Contain("DanmNet/default/second").And.Contain("'second' ADD: ended with 3 and no error object: the second broke");
        failure.Json["details"]!.ToString().Should().Contain("of the first");
        (await CallsAsync()).Where(r => r.Command == "DEL").Select(r => r.Plugin).Should().BeEquivalentTo("first", "well", "second");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task Rollback_has_time_of_its_own_when_the_ADD_has_spent_all()
    {
        MacvlanNetwork();
        await DelegateAsync("slow", MakeInterface, del: $"sleep 1.2; {RemoveInterface}; touch /run/calls/removed");
        await DelegateAsync("hang", $"sleep {Forever}");
        var pod = await PodAsync("""[{"network":"slow"},{"network":"hang"},{"network":"mv","ip":"dynamic"}]""");

        (await AddAsync(pod, timeout: 6)).Failed(11).Msg.Should().Contain("'hang'").And.NotContain("slow");

        (await Node.ShellAsync("ls /run/calls/removed")).Should().NotBeEmpty("the delegate's DEL came to its end");
        await ExpectNothingLeftAsync(pod);
    }

    [TestCase("all")]
    [TestCase("none")]
    public async Task DELs_that_hang_keep_nothing_from_being_rolled_back_or_released(string parallel)
    {
        MacvlanNetwork();
        foreach (var name in (string[])["h0", "h1", "h2", "h3"])
            await DelegateAsync(name, MakeInterface, del: $"sleep {Forever}");
        await DelegateAsync("bad", "return 1");
        var pod = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"h0"},{"network":"h1"},{"network":"h2"},{"network":"h3"},{"network":"bad"}]""");

        (await AddAsync(pod, timeout: 6, parallel)).Failed(111).Msg.Should().Contain("'bad'").And.NotContain("'h0'");

        await ExpectNoProcessAsync($"sleep {Forever}");
        await ExpectNothingLeftAsync(pod);
        await DelegateAsync("good", MakeInterface);
        await Node.ShellAsync("mv /run/plugins/good /run/plugins/bad");
        (await AddAsync(pod, timeout: 6, parallel)).Succeeded();
        var del = Call(pod, "DEL");
        (del.Config["timeoutSeconds"], del.Config["parallel"]) = (6, parallel);

        (await Node.CallAsync(del)).Succeeded();

        await ExpectNoProcessAsync($"sleep {Forever}");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task With_others_a_first_that_fails_lets_none_of_the_rest_begin()
    {
        await DelegateAsync("d0", "return 1");
        await DelegateAsync("d1", MakeInterface);
        var pod = await PodAsync("""[{"network":"d0"},{"network":"d1"}]""");

        (await AddAsync(pod, parallel: "others")).Failed(111).Msg.Should().Contain("DanmNet/default/d0");

        (await CallsAsync()).Select(r => $"{r.Command} {r.Plugin}").Should().Equal("ADD d0", "DEL d0");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task A_delegate_of_an_ADD_that_the_runtime_killed_makes_nothing_once_DEL_is_done()
    {
        await DelegateAsync("late", $"sleep 1.5; {MakeInterface}");
        var pod = await PodAsync("""[{"network":"late"}]""");
        Process? process = null;
        var add = Node.CallAsync(Call(pod, "ADD"), p => process = p);
        while ((await CallsAsync()).Count == 0 && !add.IsCompleted)
            await Task.Delay(20);
        process!.Kill();
        (await add).ExitCode.Should().Be(137);

        (await DelAsync(pod)).Succeeded();

        await Task.Delay(TimeSpan.FromSeconds(2));
        await ExpectNothingLeftAsync(pod);
        (await CallsAsync()).Where(r => r.End < double.PositiveInfinity).Select(r => r.Command).Should().Equal("DEL");
        (await LogAsync()).Should().Contain("ended plugins that an ADD had called");
    }

    private async Task<(IReadOnlyList<DelegateRun> Adds, IReadOnlyList<DelegateRun> Dels)> RunFourAsync(string parallel)
    {
        for (var i = 0; i < 4; i++)
            await DelegateAsync($"d{i}", $"sleep 1; {MakeInterface}", del: $"sleep 1; {RemoveInterface}");
        var pod = await PodAsync(Four);
        var result = (await AddAsync(pod, parallel: parallel)).Succeeded().Json;
        result["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).Should().Equal("eth0", "eth1", "eth2", "eth3");
        var del = Call(pod, "DEL");
        del.Config["parallel"] = parallel;
        (await Node.CallAsync(del)).Succeeded();
        await ExpectNothingLeftAsync(pod);
        var runs = await CallsAsync();
        return ([.. runs.Where(r => r.Command == "ADD")], [.. runs.Where(r => r.Command == "DEL")]);
    }

    private static void ExpectAtOnce(IReadOnlyList<DelegateRun> runs) =>
        runs.Max(r => r.Begin).Should().BeLessThan(runs.Min(r => r.End), "the last begins before the first ends");

    private Task<CniOutcome> AddAsync(Sandbox pod, int timeout = 30, string parallel = "all")
    {
        var call = Call(pod, "ADD");
        call.Config["timeoutSeconds"] = timeout;
        call.Config["parallel"] = parallel;
        return Node.CallAsync(call);
    }
}
