namespace Danm.Kube.Queues;

/// <summary>
/// The keys of what must be looked at again. A key waits at most once, however often it is added; one that is added while it is worked on
/// is handed out again after that, never to two at once. Higher priorities go first, and within one whoever was due first. It behaves
/// as client-go's <c>workqueue</c> and, in what priorities mean, controller-runtime's <c>priorityqueue</c>. Safe for any number of threads.
/// </summary>
/// <typeparam name="TKey">With equality by value: the name of an object, not the object.</typeparam>
public sealed class WorkQueue<TKey> : IQueueGauges, IDisposable
    where TKey : notnull
{
    // A timer takes 49 days at most; woken early, it is simply set again.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly Lock gate = new();
    private readonly TimeProvider clock;
    private readonly ITimer timer;
    private readonly KeyBackoff<TKey> backoff;
    private readonly TokenBucket bucket;
    private readonly KeyValuePair<string, object?>[] tags;

    // A key is in waiting, in working, or in both: then it was added while it was worked on, and is not in ready until that is done.
    private readonly Dictionary<TKey, Entry> waiting = [];
    private readonly Dictionary<TKey, long> working = [];
    private readonly SortedSet<Entry> ready = new(Comparer<Entry>.Create(ByPriority));
    private readonly SortedSet<Entry> delayed = new(Comparer<Entry>.Create(ByTime));

    // Who waits for a key, in the order of asking; empty whenever something is ready.
    private readonly LinkedList<TaskCompletionSource<WorkItem<TKey>?>> takers = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long sequence;
    private int depth;
    private bool isClosed;

    /// <summary>An empty queue.</summary>
    /// <param name="name">The metrics' label: one of its own within the process.</param>
    /// <param name="options">How fast failed keys come back; null: the defaults.</param>
    /// <param name="clock">Null: the system's.</param>
    public WorkQueue(string name, WorkQueueOptions? options = null, TimeProvider? clock = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new WorkQueueOptions();
        Name = name;
        this.clock = clock ?? TimeProvider.System;
        backoff = new KeyBackoff<TKey>(options.FirstRetry, options.LongestRetry);
        bucket = new TokenBucket(options.RetriesPerSecond, options.RetryBurst, this.clock);
        tags = QueueMetrics.Tags(name);
        timer = this.clock.CreateTimer(static queue => ((WorkQueue<TKey>)queue!).OnTime(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        QueueMetrics.Watch(this);
    }

    /// <summary>The metrics' label.</summary>
    public string Name { get; }

    /// <summary>How many keys are due and not handed out yet.</summary>
    public int Count
    {
        get
        {
            lock (gate)
                return depth;
        }
    }

    /// <summary>Makes a key due now. If it waits already, the higher priority counts and its place in line is kept.</summary>
    public void Add(TKey key, int priority = 0) => AddAt(key, TimeSpan.Zero, priority);

    /// <summary>Makes a key due after a while. If it waits already, the earlier time and the higher priority count.</summary>
    public void AddAfter(TKey key, TimeSpan delay, int priority = 0)
    {
        if (delay > TimeSpan.Zero)
            QueueMetrics.Retries.Add(1, tags);
        AddAt(key, delay, priority);
    }

    /// <summary>
    /// Makes a key due after its back-off, which doubles each time until <see cref="Forget"/>, or when the queue's overall limit of retries
    /// allows, whichever is later.
    /// </summary>
    /// <returns>How long that is.</returns>
    public TimeSpan AddRateLimited(TKey key, int priority = 0)
    {
        TimeSpan delay;
        lock (gate)
        {
            var (own, overall) = (backoff.Next(key), bucket.Take());
            delay = own > overall ? own : overall;
        }

        AddAfter(key, delay, priority);
        return delay;
    }

    /// <summary>The key is well: its next back-off is the first one again.</summary>
    public void Forget(TKey key)
    {
        lock (gate)
            backoff.Forget(key);
    }

    /// <summary>
    /// Waits for the next key. It stays with the caller, and is given to nobody else, until <see cref="Done"/>. Null once the queue is shut
    /// down and, where it is drained, empty.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; no key was taken.</exception>
    public async ValueTask<WorkItem<TKey>?> GetAsync(CancellationToken cancellation = default)
    {
        cancellation.ThrowIfCancellationRequested();
        TaskCompletionSource<WorkItem<TKey>?> taker;
        lock (gate)
        {
            if (ready.Min is { } first)
                return Take(first);
            if (isClosed && waiting.Count == 0)
                return null;
            taker = new(TaskCreationOptions.RunContinuationsAsynchronously);
            takers.AddLast(taker);
        }

        using (cancellation.UnsafeRegister(_ => Leave(taker, cancellation), null))
            return await taker.Task.ConfigureAwait(false);
    }

    /// <summary>The caller of <see cref="GetAsync"/> has finished with a key, well or not.</summary>
    /// <exception cref="InvalidOperationException">Nobody has the key.</exception>
    public void Done(TKey key)
    {
        lock (gate)
        {
            if (!working.Remove(key, out var since))
                throw new InvalidOperationException($"{Name}: {key} is not being worked on");
            QueueMetrics.WorkDuration.Record(clock.GetElapsedTime(since).TotalSeconds, tags);
            if (waiting.TryGetValue(key, out var entry) && entry.IsDue)
                ready.Add(entry);
            HandOut();
        }
    }

    /// <summary>Shuts down at once: what waits is dropped, what is added from now on too. Keys that are worked on are still to be Done.</summary>
    public void ShutDown()
    {
        lock (gate)
        {
            isClosed = true;
            waiting.Clear();
            ready.Clear();
            delayed.Clear();
            depth = 0;
            HandOut();
        }
    }

    /// <summary>
    /// Shuts down without losing work that is due: keys that are not due yet are dropped, and what is added from now on, but those due are
    /// handed out as ever. Ends when the last key is Done.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; the queue goes on draining, unless <see cref="ShutDown"/> ends that.</exception>
    public Task DrainAsync(CancellationToken cancellation = default)
    {
        lock (gate)
        {
            isClosed = true;
            foreach (var entry in delayed)
                waiting.Remove(entry.Key);
            delayed.Clear();
            HandOut();
        }

        return drained.Task.WaitAsync(cancellation);
    }

    /// <summary>Shuts down at once; the queue's gauges go.</summary>
    public void Dispose()
    {
        ShutDown();
        QueueMetrics.Forget(this);
        timer.Dispose();
    }

    QueueGauges IQueueGauges.Read()
    {
        lock (gate)
        {
            var (sum, longest) = (TimeSpan.Zero, TimeSpan.Zero);
            foreach (var since in working.Values)
            {
                var time = clock.GetElapsedTime(since);
                sum += time;
                longest = time > longest ? time : longest;
            }

            return new QueueGauges(tags, depth, sum.TotalSeconds, longest.TotalSeconds);
        }
    }

    private void AddAt(TKey key, TimeSpan delay, int priority)
    {
        lock (gate)
        {
            if (isClosed)
                return;
            var now = clock.GetTimestamp();
            if (!waiting.TryGetValue(key, out var entry))
                waiting.Add(key, entry = new Entry(key) { Priority = priority, DueAt = long.MaxValue, Sequence = sequence++ });
            else
                (entry.IsDue ? ready : delayed).Remove(entry); // both are sorted by what changes now
            entry.Priority = Math.Max(entry.Priority, priority);
            if (delay > TimeSpan.Zero && !entry.IsDue)
            {
                entry.DueAt = Math.Min(entry.DueAt, now + (long)Math.Min(delay.TotalSeconds * clock.TimestampFrequency, long.MaxValue / 2.0));
                delayed.Add(entry);
                SetTimer(now);
                return;
            }

            if (!entry.IsDue)
                BecomeDue(entry, now);
            else if (!working.ContainsKey(key))
                ready.Add(entry);
            HandOut();
        }
    }

    private void OnTime()
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            while (delayed.Min is { } entry && entry.DueAt <= now)
            {
                delayed.Remove(entry);
                BecomeDue(entry, now);
            }

            SetTimer(now);
            HandOut();
        }
    }

    private void BecomeDue(Entry entry, long now)
    {
        entry.IsDue = true;
        entry.DueAt = now;
        entry.Sequence = sequence++;
        depth++;
        QueueMetrics.Adds.Add(1, tags);
        if (!working.ContainsKey(entry.Key))
            ready.Add(entry);
    }

    private void SetTimer(long now)
    {
        if (delayed.Min is not { } next)
            return;
        var wait = clock.GetElapsedTime(now, Math.Max(now, next.DueAt));
        // Timers count in milliseconds: rounded down, one would ring before the time.
        timer.Change(wait < LongestWait ? TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)) : LongestWait, Timeout.InfiniteTimeSpan);
    }

    private void HandOut()
    {
        while (takers.First is { } taker && (ready.Min is not null || (isClosed && waiting.Count == 0)))
        {
            takers.RemoveFirst();
            taker.Value.SetResult(ready.Min is { } first ? Take(first) : null);
        }

        if (isClosed && waiting.Count == 0 && working.Count == 0)
            drained.TrySetResult();
    }

    private WorkItem<TKey> Take(Entry entry)
    {
        var now = clock.GetTimestamp();
        ready.Remove(entry);
        waiting.Remove(entry.Key);
        working.Add(entry.Key, now);
        depth--;
        QueueMetrics.QueueDuration.Record(clock.GetElapsedTime(entry.DueAt, now).TotalSeconds, tags);
        return new WorkItem<TKey>(entry.Key, entry.Priority);
    }

    private void Leave(TaskCompletionSource<WorkItem<TKey>?> taker, CancellationToken cancellation)
    {
        lock (gate)
        {
            // Whoever has been given a key already keeps it.
            if (takers.Remove(taker))
                taker.SetCanceled(cancellation);
        }
    }

    private static int ByPriority(Entry a, Entry b) =>
        a.Priority != b.Priority ? b.Priority.CompareTo(a.Priority) : a.Sequence.CompareTo(b.Sequence);

    private static int ByTime(Entry a, Entry b) =>
        a.DueAt != b.DueAt ? a.DueAt.CompareTo(b.DueAt) : a.Sequence.CompareTo(b.Sequence);

    private sealed class Entry(TKey key)
    {
        public TKey Key { get; } = key;

        public int Priority { get; set; }

        /// <summary>Timestamp of the clock; once the key is due, when it became so.</summary>
        public long DueAt { get; set; }

        public bool IsDue { get; set; }

        /// <summary>The place in line: of the adding, and once the key is due, of that.</summary>
        public long Sequence { get; set; }
    }
}

/// <summary>A key to be worked on.</summary>
/// <param name="Key">What it is.</param>
/// <param name="Priority">What it was added with at most, for whoever has to add it again.</param>
public readonly record struct WorkItem<TKey>(TKey Key, int Priority);
