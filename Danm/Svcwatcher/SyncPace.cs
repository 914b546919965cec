using Danm.Kube.Watching;

namespace Danm.Svcwatcher;

/// <summary>A Service is looked at at once, and then once a second at most: a roll-out of a thousand Pods is not a thousand writes.</summary>
internal sealed class SyncPace(TimeProvider clock)
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, long> begun = [];

    /// <summary>Begins a look; else says how long to wait.</summary>
    public TimeSpan? Begin(ObjectKey service)
    {
        lock (gate)
        {
            var now = clock.GetTimestamp();
            if (begun.TryGetValue(service, out var last) && clock.GetElapsedTime(last, now) is var elapsed && elapsed < Rest)
                return Rest - elapsed;
            begun[service] = now;
            return null;
        }
    }

    /// <summary>The Service is gone.</summary>
    public void Forget(ObjectKey service)
    {
        lock (gate)
            begun.Remove(service);
    }
}
