using Danm.Kube.Queues;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Queues;

/// <summary>What is handed out, in which order and when; by a clock that the test moves.</summary>
public sealed class WorkQueueTests
{
    private FakeTimeProvider clock = null!;
    private WorkQueue<string> queue = null!;

    [SetUp]
    public void Open()
    {
        clock = new FakeTimeProvider();
        queue = new WorkQueue<string>("q", new WorkQueueOptions { RetriesPerSecond = 1e9 }, clock);
    }

    [TearDown]
    public void Close() => queue.Dispose();

    [Test]
    public async Task A_key_waits_once_however_often_it_is_added()
    {
        queue.Add("a");
        queue.Add("b");
        queue.Add("a");

        queue.Count.Should().Be(2);
        (await TakeAllAsync()).Should().Equal("a", "b");
        queue.Count.Should().Be(0);
    }

    [Test]
    public async Task A_key_added_while_it_is_worked_on_comes_again_after_that_and_to_nobody_before()
    {
        queue.Add("a");
        await queue.GetAsync();
        queue.Add("a");
        queue.Add("a");
        var other = queue.GetAsync().AsTask();
        clock.Advance(TimeSpan.FromHours(1));

        other.IsCompleted.Should().BeFalse("the key is being worked on");
        queue.Done("a");

        (await other)!.Value.Key.Should().Be("a");
        queue.Done("a");
        queue.GetAsync().IsCompleted.Should().BeFalse("two additions during one piece of work are one more piece of work");
    }

    [Test]
    public async Task Keys_at_work_do_not_hold_up_others()
    {
        queue.Add("a", priority: 9);
        await queue.GetAsync();
        queue.Add("a", priority: 9);
        queue.Add("b");

        (await queue.GetAsync())!.Value.Key.Should().Be("b");
    }

    [TestCase("a b c", "a b c", TestName = "First in, first out")]
    [TestCase("a b:1 c:2 d:1", "c b d a", TestName = "Higher priorities first, the oldest within one")]
    [TestCase("a b:-100 c", "a c b", TestName = "Priorities below zero")]
    [TestCase("a b c:1 b:1", "b c a", TestName = "Added again with a higher priority, it moves up, its place in line kept")]
    [TestCase("a:2 b:1 a", "a b", TestName = "Added again with a lower one, it stays")]
    [TestCase("a b a", "a b", TestName = "Added again with the same one, it stays")]
    public async Task Hands_out_in_order(string added, string expected)
    {
        foreach (var word in added.Split(' '))
            queue.Add(word.Split(':')[0], word.Contains(':') ? int.Parse(word.Split(':')[1]) : 0);

        (await TakeAllAsync()).Should().Equal(expected.Split(' '));
    }

    [Test]
    public async Task Whoever_takes_a_key_is_told_its_highest_priority()
    {
        queue.AddAfter("a", TimeSpan.FromSeconds(1), priority: 3);
        queue.Add("a", priority: 7);
        queue.AddAfter("a", TimeSpan.FromSeconds(1), priority: 5);

        (await queue.GetAsync()).Should().Be(new WorkItem<string>("a", 7));
    }

    // Added after these seconds, due after that many.
    [TestCase("5", 5)]
    [TestCase("5 9", 5)]
    [TestCase("9 5", 5)]
    [TestCase("9 0", 0)]
    [TestCase("0 9", 0)]
    [TestCase("-1", 0)]
    [TestCase("100000", 100000, Description = "longer than the longest wait of the timer")]
    public async Task Of_several_times_the_earliest_counts(string seconds, int expected)
    {
        foreach (var delay in seconds.Split(' '))
            queue.AddAfter("a", TimeSpan.FromSeconds(int.Parse(delay)));
        var taken = queue.GetAsync().AsTask();
        if (expected > 0)
        {
            clock.Advance(TimeSpan.FromSeconds(expected) - TimeSpan.FromMilliseconds(1));
            taken.IsCompleted.Should().BeFalse();
            queue.Count.Should().Be(0);
            clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        (await taken)!.Value.Key.Should().Be("a");
        queue.Done("a");
        clock.Advance(TimeSpan.FromDays(2));
        queue.Count.Should().Be(0, "the later time has gone with the earlier one");
    }

    [Test]
    public void Waits_as_long_as_one_likes()
    {
        queue.AddAfter("a", TimeSpan.MaxValue);
        clock.Advance(TimeSpan.FromDays(365));

        queue.Count.Should().Be(0);
    }

    [Test]
    public async Task What_was_due_first_goes_first_whenever_it_was_added()
    {
        queue.AddAfter("late", TimeSpan.FromSeconds(2));
        queue.AddAfter("early", TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(1.5));
        queue.Add("between");
        clock.Advance(TimeSpan.FromSeconds(1));

        (await TakeAllAsync()).Should().Equal("early", "between", "late");
    }

    [Test]
    public async Task A_time_that_comes_while_the_key_is_worked_on_counts_after_that()
    {
        queue.Add("a");
        await queue.GetAsync();
        queue.AddAfter("a", TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(2));
        var next = queue.GetAsync().AsTask();

        next.IsCompleted.Should().BeFalse();
        queue.Done("a");
        (await next)!.Value.Key.Should().Be("a");
    }

    [Test]
    public async Task A_failed_keys_back_off_doubles_up_to_its_longest_until_it_is_forgotten()
    {
        var own = new WorkQueueOptions { FirstRetry = TimeSpan.FromMilliseconds(5), LongestRetry = TimeSpan.FromMilliseconds(30), RetriesPerSecond = 1e9 };
        using var failing = new WorkQueue<string>("failing", own, clock);

        for (var (i, expected) = (0, new[] { 5, 10, 20, 30, 30 }); i < expected.Length; i++)
        {
            failing.AddRateLimited("a").Should().Be(TimeSpan.FromMilliseconds(expected[i]));
            clock.Advance(TimeSpan.FromMilliseconds(expected[i] - 1));
            failing.Count.Should().Be(0);
            clock.Advance(TimeSpan.FromMilliseconds(1));
            failing.Count.Should().Be(1);
            failing.Done((await failing.GetAsync())!.Value.Key);
        }

        failing.AddRateLimited("b").TotalMilliseconds.Should().Be(5, "another key's failures are not its own");
        failing.Forget("a");
        failing.AddRateLimited("a").TotalMilliseconds.Should().Be(5);
    }

    [Test]
    public void The_defaults_are_those_of_client_go()
    {
        using var usual = new WorkQueue<int>("usual", null, clock);
        var lone = Enumerable.Range(0, 20).Select(_ => usual.AddRateLimited(-1).TotalSeconds).ToArray();

        lone.Should().StartWith([0.005, 0.01, 0.02, 0.04]).And.EndWith([655.36, 1000, 1000]);
        var many = Enumerable.Range(0, 85).Select(i => usual.AddRateLimited(i).TotalSeconds).ToArray();
        many.Take(80).Should().AllBeEquivalentTo(0.005, "100 retries may come at once");
        many.Skip(80).Should().Equal([0.1, 0.2, 0.3, 0.4, 0.5], (a, b) => Math.Abs(a - b) < 1e-6, "then 10 a second");
    }

    [Test]
    public void The_overall_limit_recovers_with_time_and_no_further_than_its_burst()
    {
        using var limited = new WorkQueue<int>("limited", new WorkQueueOptions { RetriesPerSecond = 10, RetryBurst = 2 }, clock);
        double[] Delays(int count) => [.. Enumerable.Range(0, count).Select(_ => { limited.Forget(1); return Math.Round(limited.AddRateLimited(1).TotalSeconds, 6); })];

        Delays(4).Should().Equal(0.005, 0.005, 0.1, 0.2);
        clock.Advance(TimeSpan.FromSeconds(0.3));
        Delays(2).Should().Equal(0.005, 0.1);
        clock.Advance(TimeSpan.FromHours(1));
        Delays(3).Should().Equal(0.005, 0.005, 0.1);
    }

    [Test]
    public async Task Who_waits_is_served_in_the_order_of_asking()
    {
        var takers = Enumerable.Range(0, 3).Select(_ => queue.GetAsync().AsTask()).ToArray();

        queue.Add("a");
        queue.Add("b");

        (await takers[0])!.Value.Key.Should().Be("a");
        (await takers[1])!.Value.Key.Should().Be("b");
        takers[2].IsCompleted.Should().BeFalse();
    }

    [Test]
    public async Task Who_stops_waiting_takes_no_key_along()
    {
        using var impatience = new CancellationTokenSource();
        var leaves = queue.GetAsync(impatience.Token).AsTask();
        var stays = queue.GetAsync().AsTask();

        await impatience.CancelAsync();
        queue.Add("a");

        await leaves.Awaiting(l => l).Should().ThrowAsync<OperationCanceledException>();
        (await stays)!.Value.Key.Should().Be("a");
        await queue.Awaiting(q => q.GetAsync(impatience.Token).AsTask()).Should().ThrowAsync<OperationCanceledException>("it has left before");
    }

    [Test]
    public void Nobody_finishes_what_he_does_not_have()
    {
        queue.Add("a");

        queue.Invoking(q => q.Done("a")).Should().Throw<InvalidOperationException>().WithMessage("q: a is not being worked on");
    }

    [Test]
    public async Task Shut_down_at_once_drops_what_waits_and_sends_everybody_home()
    {
        queue.Add("at work");
        await queue.GetAsync();
        var waiter = queue.GetAsync().AsTask();
        queue.Add("at work");
        queue.AddAfter("later", TimeSpan.FromSeconds(1));

        queue.ShutDown();
        queue.Add("new");
        queue.AddRateLimited("new");
        clock.Advance(TimeSpan.FromMinutes(1));

        (await waiter).Should().BeNull();
        (await queue.GetAsync()).Should().BeNull();
        queue.Count.Should().Be(0);
        queue.Done("at work");
        (await queue.GetAsync()).Should().BeNull("its second piece of work was dropped too");
    }

    [Test]
    public async Task Drained_hands_out_what_is_due_and_ends_when_the_last_key_is_done()
    {
        queue.Add("at work");
        await queue.GetAsync();
        queue.Add("at work");
        queue.Add("due");
        queue.AddAfter("later", TimeSpan.FromSeconds(1));

        var drained = queue.DrainAsync();
        queue.Add("new");
        clock.Advance(TimeSpan.FromMinutes(1));

        (await queue.GetAsync())!.Value.Key.Should().Be("due");
        var next = queue.GetAsync().AsTask();
        next.IsCompleted.Should().BeFalse("the other one is still being worked on");
        queue.Done("at work");
        (await next)!.Value.Key.Should().Be("at work");
        (await queue.GetAsync()).Should().BeNull();
        queue.Done("due");
        drained.IsCompleted.Should().BeFalse();
        queue.Done("at work");
        await drained.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Test]
    public async Task Draining_can_be_given_up()
    {
        using var patience = new CancellationTokenSource();
        queue.Add("slow");
        queue.Add("never");
        await queue.GetAsync();
        var drained = queue.DrainAsync(patience.Token);

        await patience.CancelAsync();
        await drained.Awaiting(d => d).Should().ThrowAsync<OperationCanceledException>();
        queue.ShutDown();

        (await queue.GetAsync()).Should().BeNull();
        queue.Done("slow");
        await queue.DrainAsync().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Test]
    public async Task Nothing_to_drain_is_drained_at_once()
    {
        queue.AddAfter("later", TimeSpan.FromSeconds(1));

        await queue.DrainAsync().WaitAsync(TimeSpan.FromSeconds(10));

        (await queue.GetAsync()).Should().BeNull();
    }

    [Test]
    public async Task Is_measured_by_the_well_known_names()
    {
        using var metrics = new MetricReader();
        using var measured = new WorkQueue<string>("measured", null, clock);
        measured.Add("a");
        measured.Add("b");
        measured.Add("c");
        measured.Add("c");
        measured.AddAfter("d", TimeSpan.FromSeconds(1));
        await measured.GetAsync();
        clock.Advance(TimeSpan.FromSeconds(10));
        await measured.GetAsync();
        clock.Advance(TimeSpan.FromSeconds(5));

        const string Labels = """{name="measured",controller="measured"}""";
        metrics.Read("measured").Should().Equal(new Dictionary<string, double>
        {
            ["workqueue_depth" + Labels] = 2,
            ["workqueue_adds_total" + Labels] = 4,
            ["workqueue_retries_total" + Labels] = 1,
            ["workqueue_queue_duration_seconds_count" + Labels] = 2,
            ["workqueue_unfinished_work_seconds" + Labels] = 20,
            ["workqueue_longest_running_processor_seconds" + Labels] = 15,
        });
        measured.Done("a");
        measured.Done("b");
        var done = metrics.Read("measured");
        done["workqueue_work_duration_seconds_count" + Labels].Should().Be(2);
        done["workqueue_unfinished_work_seconds" + Labels].Should().Be(0);
        done["workqueue_longest_running_processor_seconds" + Labels].Should().Be(0);
    }

    private async Task<List<string>> TakeAllAsync()
    {
        var taken = new List<string>();
        while (queue.Count > 0)
            taken.Add((await queue.GetAsync())!.Value.Key);
        return taken;
    }
}
