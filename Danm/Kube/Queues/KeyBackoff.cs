namespace Danm.Kube.Queues;

/// <summary>A back-off for each key that doubles with each failure: first·2ⁿ up to a longest one. Its caller keeps threads apart.</summary>
internal sealed class KeyBackoff<TKey>(TimeSpan first, TimeSpan longest)
    where TKey : notnull
{
    private readonly Dictionary<TKey, int> failures = [];

    public TimeSpan Next(TKey key)
    {
        var before = failures.GetValueOrDefault(key);
        failures[key] = before + 1;
        var seconds = first.TotalSeconds * Math.Pow(2, before);
        return seconds < longest.TotalSeconds ? TimeSpan.FromSeconds(seconds) : longest;
    }

    public void Forget(TKey key) => failures.Remove(key);
}
