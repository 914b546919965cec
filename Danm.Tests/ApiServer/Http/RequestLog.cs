using System.Diagnostics;

namespace Danm.Tests.ApiServer.Http;

/// <summary>All requests since the start or the last <see cref="Clear"/>, in order of arrival.</summary>
public sealed class RequestLog
{
    private readonly Lock gate = new();
    private readonly List<RequestRecord> records = [];
    private readonly long origin = Stopwatch.GetTimestamp();
    private int inFlight;

    public TimeSpan Now => Stopwatch.GetElapsedTime(origin);

    public RequestRecord[] All
    {
        get
        {
            lock (gate)
                return [.. records];
        }
    }

    public int Count(string? verb = null, string? resource = null) => Where(verb, resource).Length;

    public RequestRecord[] Where(string? verb = null, string? resource = null) =>
        [.. All.Where(r => (verb is null || r.Verb == verb) && (resource is null || r.Resource == resource))];

    /// <summary>How many are being served, whether their clients still wait or not.</summary>
    public int InFlight => Volatile.Read(ref inFlight);

    public long TotalBytes => All.Sum(r => r.RequestBytes + r.ResponseBytes);

    public int MaxConcurrency => All.Select(r => r.Concurrency).DefaultIfEmpty().Max();

    public void Clear()
    {
        lock (gate)
            records.Clear();
    }

    internal int Enter() => Interlocked.Increment(ref inFlight);

    internal void Add(RequestRecord record)
    {
        lock (gate)
            records.Add(record);
    }

    internal void Leave(RequestRecord record)
    {
        record.Ended = Now;
        Interlocked.Decrement(ref inFlight);
    }
}
