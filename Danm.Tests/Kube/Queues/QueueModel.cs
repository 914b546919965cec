namespace Danm.Tests.Kube.Queues;

/// <summary>What a work queue is, without a thought for speed: a list of what waits and a list of what is worked on, a millisecond at a time.</summary>
internal sealed class QueueModel
{
    private readonly List<Waiting> waiting = [];
    private readonly Dictionary<int, int> failures = [];
    private int turn;
    private int now;

    public List<int> AtWork { get; } = [];

    public int Count => waiting.Count(w => w.DueSince is not null);

    public void Add(int key, int delay, int priority)
    {
        var known = waiting.Find(w => w.Key == key);
        if (known is null)
            waiting.Add(known = new Waiting(key, turn++) { Priority = priority, DueAt = now + delay });
        known.Priority = Math.Max(known.Priority, priority);
        known.DueAt = Math.Min(known.DueAt, now + delay);
        NoteDue();
    }

    public void Fail(int key, int priority)
    {
        var before = failures.GetValueOrDefault(key);
        failures[key] = before + 1;
        Add(key, Math.Min(5 << before, 40), priority);
    }

    public void Forget(int key) => failures.Remove(key);

    /// <summary>Null: nothing can be handed out.</summary>
    public (int Key, int Priority)? Get()
    {
        var next = waiting.Where(w => w.DueSince is not null && !AtWork.Contains(w.Key)).OrderByDescending(w => w.Priority).ThenBy(w => w.DueSince).FirstOrDefault();
        if (next is null)
            return null;
        waiting.Remove(next);
        AtWork.Add(next.Key);
        return (next.Key, next.Priority);
    }

    public void Done(int key) => AtWork.Remove(key);

    public void Advance(int milliseconds)
    {
        for (var end = now + milliseconds; now < end;)
        {
            now++;
            NoteDue();
        }
    }

    private void NoteDue()
    {
        foreach (var w in waiting.Where(w => w.DueSince is null && w.DueAt <= now).OrderBy(w => w.Turn).ToList())
            w.DueSince = turn++;
    }

    private sealed class Waiting(int key, int turn)
    {
        public int Key { get; } = key;
        public int Turn { get; } = turn;
        public int Priority { get; set; }
        public int DueAt { get; set; }
        public int? DueSince { get; set; }
    }
}
