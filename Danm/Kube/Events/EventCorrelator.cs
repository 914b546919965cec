namespace Danm.Kube.Events;

/// <summary>
/// What becomes of something that is said about an object: the same again raises the count of its Event, too many like it become one,
/// and an object of which there is no end is said little of. As client-go's correlator does, whose figures these are.
/// </summary>
internal sealed class EventCorrelator(TimeProvider clock)
{
    private const int MostSimilar = 10;
    private const int Burst = 25;
    private const int MostRemembered = 4096;

    private static readonly TimeSpan SimilarWindow = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Refill = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, (HashSet<string> Messages, DateTimeOffset Last)> similar = [];
    private readonly Dictionary<string, (double Left, DateTimeOffset At)> budgets = [];

    /// <summary>The name of the Event to write, and its message; null if it is not to be written.</summary>
    public (string Name, string Message)? Correlate(in Saying saying)
    {
        var now = clock.GetUtcNow();
        Forget(now);
        var group = $"{saying.About.Uid}\n{saying.Type}\n{saying.Reason}";
        var (messages, last) = similar.GetValueOrDefault(group, ([], now));
        if (now - last > SimilarWindow)
            messages = [];
        messages.Add(saying.Message);
        similar[group] = (messages, now);
        var isCombined = messages.Count > MostSimilar;
        if (isCombined && messages.Count > MostSimilar + 1)
            messages.Remove(saying.Message);
        if (!Spend(saying.About.Uid ?? "", now))
            return null;
        return (
            EventWriter.NameOf(saying.About, isCombined ? group : $"{group}\n{saying.Message}"),
            isCombined ? $"(combined from similar events): {saying.Message}" : saying.Message);
    }

    private bool Spend(string uid, DateTimeOffset now)
    {
        var (left, at) = budgets.GetValueOrDefault(uid, (Burst, now));
        left = Math.Min(Burst, left + ((now - at) / Refill));
        budgets[uid] = left >= 1 ? (left - 1, now) : (left, now);
        return left >= 1;
    }

    // What is forgotten is at worst said once more.
    private void Forget(DateTimeOffset now)
    {
        if (similar.Count > MostRemembered)
        {
            foreach (var group in similar.Where(s => now - s.Value.Last > SimilarWindow).Select(s => s.Key).ToList())
                similar.Remove(group);
            if (similar.Count > MostRemembered)
                similar.Clear();
        }

        if (budgets.Count > MostRemembered)
        {
            foreach (var uid in budgets.Where(b => now - b.Value.At > Refill * Burst).Select(b => b.Key).ToList())
                budgets.Remove(uid);
            if (budgets.Count > MostRemembered)
                budgets.Clear();
        }
    }
}
