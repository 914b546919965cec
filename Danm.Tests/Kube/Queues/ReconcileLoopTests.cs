using System.Collections.Concurrent;
using System.Net;
using Danm.Kube;
using Danm.Kube.Queues;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Queues;

/// <summary>How keys come back, how the loop ends, and what is said and counted; by a clock that the test moves.</summary>
public sealed class ReconcileLoopTests
{
    private ListLogger log = null!;
    private FakeTimeProvider clock = null!;
    private ConcurrentQueue<string> worked = null!;
    private CancellationTokenSource stop = null!;
    private WorkQueue<string> queue = null!;
    private ILoopGauges gauges = null!;

    [SetUp]
    public void Open()
    {
        (log, clock, worked, stop) = (new(), new(), new(), new());
        queue = new WorkQueue<string>("loop", null, clock);
    }

    [TearDown]
    public void Close()
    {
        stop.Cancel();
        queue.Dispose();
        stop.Dispose();
    }

    [Test]
    public async Task A_failed_key_comes_back_after_its_back_off_and_stops_no_other()
    {
        var loop = Start((key, _) => key == "bad" ? throw new ApiException("GET /bad", HttpStatusCode.Forbidden, null) : Task.FromResult(Reconciled.Done));
        queue.Add("bad");
        queue.Add("good");

        await WorkedAsync("bad", "good");
        await FailedAsync(1);
        clock.Advance(TimeSpan.FromMilliseconds(5));
        await WorkedAsync("bad", "good", "bad");
        await FailedAsync(2);
        clock.Advance(TimeSpan.FromMilliseconds(9));
        queue.Add("good");
        await WorkedAsync("bad", "good", "bad", "good");
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await WorkedAsync("bad", "good", "bad", "good", "bad");
        await FailedAsync(3);

        await EndAsync(loop);
        log.Lines.Should().Equal(
            "Warning: loop: bad failed, tried again in 0.005 s: GET /bad: 403 Forbidden",
            "Warning: loop: bad failed, tried again in 0.01 s: GET /bad: 403 Forbidden",
            "Warning: loop: bad failed, tried again in 0.02 s: GET /bad: 403 Forbidden");
    }

    [Test]
    public async Task A_bug_is_logged_with_its_stack_trace_and_ends_nothing()
    {
        var loop = Start((key, _) => key == "bug" ? throw new InvalidOperationException("a bug") : Task.FromResult(Reconciled.Done));
        queue.Add("bug");
        queue.Add("good");

        await WorkedAsync("bug", "good");
        await FailedAsync(1);
        await EndAsync(loop);

        log.Lines.Should().Equal("Error: loop: bug failed, tried again in 0.005 s (InvalidOperationException: a bug)");
    }

    [Test]
    public async Task A_time_out_of_the_works_own_is_a_failure()
    {
        var loop = Start((_, _) => throw new TaskCanceledException("no answer"));
        queue.Add("a");

        await FailedAsync(1);
        await EndAsync(loop);
    }

    [Test]
    public async Task A_key_that_is_well_begins_with_the_first_back_off_again()
    {
        var outcomes = new Queue<Func<Reconciled>>([() => Reconciled.Retry, () => throw new ApiException("GET /", HttpStatusCode.Conflict, null), () => Reconciled.Done, () => Reconciled.Retry, () => Reconciled.Done]);
        var loop = Start((_, _) => Task.FromResult(outcomes.Dequeue()()));
        queue.Add("a");
        await WorkedAsync("a");
        await IdleAsync();
        clock.Advance(TimeSpan.FromMilliseconds(5));
        await WorkedAsync("a", "a");
        await FailedAsync(1);
        await IdleAsync();
        clock.Advance(TimeSpan.FromMilliseconds(10));
        await WorkedAsync("a", "a", "a");
        queue.Add("a");
        await WorkedAsync("a", "a", "a", "a");
        await IdleAsync();

        clock.Advance(TimeSpan.FromMilliseconds(5));

        await WorkedAsync("a", "a", "a", "a", "a");
        await EndAsync(loop);
    }

    [Test]
    public async Task A_key_that_came_too_early_keeps_its_back_off()
    {
        var outcomes = new Queue<Reconciled>([Reconciled.Retry, Reconciled.NotYet(TimeSpan.FromSeconds(1)), Reconciled.Retry, Reconciled.Done]);
        var loop = Start((_, _) => Task.FromResult(outcomes.Dequeue()));
        queue.Add("a");
        await WorkedAsync("a");
        await IdleAsync();
        clock.Advance(TimeSpan.FromMilliseconds(5));
        await WorkedAsync("a", "a");
        await IdleAsync();
        clock.Advance(TimeSpan.FromSeconds(1));
        await WorkedAsync("a", "a", "a");
        await IdleAsync();

        clock.Advance(TimeSpan.FromMilliseconds(9));
        await IdleAsync();
        worked.Should().HaveCount(3, "it was the second failure in a row");
        clock.Advance(TimeSpan.FromMilliseconds(1));

        await WorkedAsync("a", "a", "a", "a");
        await EndAsync(loop);
    }

    [Test]
    public async Task A_key_can_ask_for_a_look_later_and_keeps_its_priority()
    {
        var loop = Start((key, _) => Task.FromResult(key == "a" ? Reconciled.After(TimeSpan.FromMinutes(5)) : Reconciled.Done));
        queue.Add("a", priority: 5);
        await WorkedAsync("a");
        await IdleAsync();
        queue.AddAfter("b", TimeSpan.FromMinutes(4.9), priority: 4);

        clock.Advance(TimeSpan.FromMinutes(4.8));
        worked.Should().Equal("a");
        clock.Advance(TimeSpan.FromMinutes(0.3));

        await WorkedAsync("a", "a", "b");
        await EndAsync(loop);
    }

    [Test]
    public async Task As_many_keys_are_worked_on_at_once_as_there_are_workers()
    {
        using var gate = new SemaphoreSlim(0);
        var loop = Start(async (_, _) =>
        {
            await gate.WaitAsync();
            return Reconciled.Done;
        }, new ReconcileOptions { Workers = 3 });
        for (var i = 0; i < 5; i++)
            queue.Add($"k{i}");

        await Eventually.IsTrueAsync(() => worked.Count == 3);
        queue.Count.Should().Be(2);
        gate.Release();
        await Eventually.IsTrueAsync(() => worked.Count == 4);
        queue.Count.Should().Be(1);
        gate.Release(4);
        await EndAsync(loop);
    }

    [Test]
    public async Task At_the_end_what_is_at_work_is_finished_and_what_waits_is_dropped()
    {
        var finish = new TaskCompletionSource<Reconciled>();
        var loop = Start((_, _) => finish.Task);
        queue.Add("at work");
        await WorkedAsync("at work");
        queue.Add("waits");

        await stop.CancelAsync();
        await Task.Delay(50);
        loop.IsCompleted.Should().BeFalse();
        finish.SetResult(Reconciled.Done);

        await loop.WaitAsync(TimeSpan.FromSeconds(30));
        worked.Should().Equal("at work");
        log.Lines.Should().BeEmpty();
    }

    [Test]
    public async Task What_is_at_work_for_too_long_after_the_end_is_cancelled()
    {
        var loop = Start(async (_, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return Reconciled.Done;
        }, new ReconcileOptions { DrainTime = TimeSpan.FromSeconds(7) });
        queue.Add("stuck");
        await WorkedAsync("stuck");

        await stop.CancelAsync();
        clock.Advance(TimeSpan.FromSeconds(6.9));
        await Task.Delay(50);
        loop.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.1));

        await loop.WaitAsync(TimeSpan.FromSeconds(30));
        log.Lines.Should().Equal("Warning: loop: 1 keys are still at work 7 s after the end and are cancelled");
    }

    [Test]
    public async Task A_drained_queue_ends_the_loop_when_all_is_done()
    {
        queue.Add("a");
        queue.Add("b");
        var drained = queue.DrainAsync();
        var loop = Start((_, _) => Task.FromResult(Reconciled.Done));

        await drained.WaitAsync(TimeSpan.FromSeconds(30));
        await loop.WaitAsync(TimeSpan.FromSeconds(30));

        worked.Should().Equal("a", "b");
    }

    [Test]
    public async Task Is_measured_by_the_well_known_names()
    {
        using var metrics = new MetricReader();
        using var own = new WorkQueue<string>("measured-loop", null, clock);
        var hold = new TaskCompletionSource<Reconciled>();
        var loop = new ReconcileLoop<string>(own, (key, _) => key switch
        {
            "success" => Task.FromResult(Reconciled.Done),
            "requeue" => Task.FromResult(Reconciled.Retry),
            "requeue_after" => Task.FromResult(Reconciled.After(TimeSpan.FromHours(1))),
            "hold" => hold.Task,
            _ => throw new InvalidOperationException("fails"),
        }, log, new ReconcileOptions { Workers = 2 }, clock).RunAsync(stop.Token);
        metrics.Read("measured-loop").Where(m => m.Key.StartsWith("controller_runtime_reconcile_total", StringComparison.Ordinal))
            .Should().HaveCount(4).And.OnlyContain(m => m.Value == 0, "a rate needs a value before the first failure");

        foreach (var key in (string[])["success", "requeue", "requeue_after", "hold", "error"])
            own.Add(key);
        double Value(string name, string more = "") => metrics.Read("measured-loop").GetValueOrDefault($"{name}{{controller=\"measured-loop\"{more}}}", -1);
        await Eventually.IsTrueAsync(() => Value("controller_runtime_reconcile_time_seconds_count") == 4 && Value("controller_runtime_active_workers") == 1);

        foreach (var result in (string[])["success", "requeue", "requeue_after", "error"])
            Value("controller_runtime_reconcile_total", $",result=\"{result}\"").Should().Be(1, result);
        Value("controller_runtime_reconcile_errors_total").Should().Be(1);
        Value("controller_runtime_max_concurrent_reconciles").Should().Be(2);
        hold.SetResult(Reconciled.Done);
        await EndAsync(loop);
    }

    private Task Start(Func<string, CancellationToken, Task<Reconciled>> reconcile, ReconcileOptions? options = null)
    {
        var loop = new ReconcileLoop<string>(queue, (key, cancellation) =>
        {
            worked.Enqueue(key);
            return reconcile(key, cancellation);
        }, log, options, clock);
        gauges = loop;
        return loop.RunAsync(stop.Token);
    }

    private async Task EndAsync(Task loop)
    {
        await stop.CancelAsync();
        await loop.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task WorkedAsync(params string[] keys)
    {
        await Eventually.IsTrueAsync(() => worked.Count >= keys.Length, $"{string.Join(' ', worked)} instead of {string.Join(' ', keys)}");
        worked.Should().Equal(keys);
    }

    // The line is written once the key has been added again.
    private Task FailedAsync(int lines) => Eventually.IsTrueAsync(() => log.Lines.Length >= lines);

    private Task IdleAsync() => Eventually.IsTrueAsync(() => queue.Count == 0 && gauges.Read().Active == 0);
}
