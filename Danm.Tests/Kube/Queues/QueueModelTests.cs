using CsCheck;
using Danm.Kube.Queues;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Queues;

/// <summary>Random histories of a queue against its model, and against itself with many threads.</summary>
public sealed class QueueModelTests
{
    private enum What
    {
        Add,
        AddAfter,
        Fail,
        Forget,
        Take,
        Done,
        Advance,
    }

    private static readonly Gen<(What What, int Key, int Priority, int Time)> Step = Gen.Select(
        Gen.Frequency((4, Gen.Const(What.Add)), (3, Gen.Const(What.AddAfter)), (2, Gen.Const(What.Fail)), (1, Gen.Const(What.Forget)),
            (6, Gen.Const(What.Take)), (5, Gen.Const(What.Done)), (3, Gen.Const(What.Advance))),
        Gen.Int[0, 5],
        Gen.Int[-1, 2],
        Gen.Int[0, 30]);

    [Test]
    public void No_key_is_at_work_twice_none_is_lost_and_the_order_is_the_models()
    {
        var (taken, waitedFor, again) = (0, 0, 0);
        Step.Array[1, 60].Sample(steps =>
        {
            var clock = new FakeTimeProvider();
            var options = new WorkQueueOptions { LongestRetry = TimeSpan.FromMilliseconds(40), RetriesPerSecond = 1e9 };
            using var queue = new WorkQueue<int>("model", options, clock);
            var model = new QueueModel();
            var takers = new Queue<Task<WorkItem<int>?>>();

            foreach (var (what, key, priority, time) in steps)
            {
                switch (what)
                {
                    case What.Add:
                        again += model.AtWork.Contains(key) ? 1 : 0;
                        queue.Add(key, priority);
                        model.Add(key, 0, priority);
                        break;
                    case What.AddAfter:
                        queue.AddAfter(key, TimeSpan.FromMilliseconds(time), priority);
                        model.Add(key, time, priority);
                        break;
                    case What.Fail:
                        queue.AddRateLimited(key, priority);
                        model.Fail(key, priority);
                        break;
                    case What.Forget:
                        queue.Forget(key);
                        model.Forget(key);
                        break;
                    case What.Take:
                        takers.Enqueue(queue.GetAsync().AsTask());
                        waitedFor += takers.Peek().IsCompleted ? 0 : 1;
                        break;
                    case What.Done when model.AtWork.Count > 0:
                        var finished = model.AtWork[key % model.AtWork.Count];
                        queue.Done(finished);
                        model.Done(finished);
                        break;
                    case What.Advance:
                        // A millisecond at a time, so that whoever waits is served in both as each one comes.
                        for (var i = 0; i < time; i++)
                        {
                            clock.Advance(TimeSpan.FromMilliseconds(1));
                            model.Advance(1);
                            Serve();
                        }

                        break;
                }

                Serve();
                if (queue.Count != model.Count)
                    throw new AssertionException($"{queue.Count} wait, {model.Count} should");
            }

            // Whatever waits comes in the end, and no more than that.
            for (var round = 0; round < 100; round++)
            {
                clock.Advance(TimeSpan.FromMilliseconds(1));
                model.Advance(1);
                Serve();
                foreach (var key in model.AtWork.ToArray())
                {
                    queue.Done(key);
                    model.Done(key);
                    Serve();
                }

                if (takers.Count == 0)
                    takers.Enqueue(queue.GetAsync().AsTask());
                Serve();
            }

            if (queue.Count > 0 || model.Count > 0)
                throw new AssertionException("something is left");

            void Serve()
            {
                while (takers.TryPeek(out var taker))
                {
                    var expected = model.Get();
                    // Whoever had to wait is told by another thread.
                    if (expected is not null && !taker.Wait(TimeSpan.FromSeconds(10)))
                        throw new AssertionException($"nothing is handed out, the model {expected}");
                    var actual = taker.IsCompleted ? taker.Result : null;
                    if (actual?.Key != expected?.Key || actual?.Priority != expected?.Priority)
                        throw new AssertionException($"handed out {actual}, the model {expected}");
                    if (expected is null)
                        return;
                    taken++;
                    takers.Dequeue();
                }
            }
        }, iter: 20_000, threads: 1);

        // A test that never meets what it is about proves nothing.
        new[] { taken, waitedFor, again }.Should().OnlyContain(n => n > 1000);
    }

    [Test]
    public async Task Many_threads_at_once_never_share_a_key_and_never_miss_an_addition()
    {
        const int Keys = 40, Producers = 4, Workers = 8, Additions = 20_000;
        using var queue = new WorkQueue<int>("threads", new WorkQueueOptions { RetriesPerSecond = 1e9, LongestRetry = TimeSpan.FromMilliseconds(1) });
        var (written, read, atWork) = (new int[Keys], new int[Keys], new int[Keys]);
        var (shared, works) = (0, 0);
        var workers = Enumerable.Range(0, Workers).Select(_ => Task.Run(async () =>
        {
            while (await queue.GetAsync() is { Key: var key })
            {
                if (Interlocked.Increment(ref atWork[key]) != 1)
                    Interlocked.Increment(ref shared);
                Volatile.Write(ref read[key], Volatile.Read(ref written[key]));
                if (Interlocked.Increment(ref works) % 3 == 0)
                    await Task.Yield();
                Interlocked.Decrement(ref atWork[key]);
                queue.Done(key);
            }
        })).ToArray();

        await Task.WhenAll(Enumerable.Range(0, Producers).Select(p => Task.Run(async () =>
        {
            var random = new Random(p);
            for (var i = 0; i < Additions; i++)
            {
                var key = random.Next(Keys);
                Interlocked.Increment(ref written[key]);
                if (random.Next(20) == 0)
                    queue.AddAfter(key, TimeSpan.FromMilliseconds(random.Next(3)), random.Next(3));
                else
                    queue.Add(key, random.Next(3));
                // The others' turn: all additions at once would be a few pieces of work only.
                if (i % 4 == 0)
                    await Task.Yield();
            }
        })));
        // Those that are due later would be dropped by the draining.
        for (var key = 0; key < Keys; key++)
            queue.Add(key);
        await queue.DrainAsync().WaitAsync(TimeSpan.FromMinutes(1));
        await Task.WhenAll(workers);

        shared.Should().Be(0);
        read.Should().Equal(written);
        works.Should().BeInRange(Producers * Additions / 50, (Producers * Additions) + Keys);
        await TestContext.Progress.WriteLineAsync($"{works} pieces of work for {Producers * Additions} additions");
    }
}
