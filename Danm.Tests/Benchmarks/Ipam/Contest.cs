using System.Diagnostics;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>Many callers allocate from one network at once, each its next address as soon as it has one.</summary>
/// <param name="Callers">How many at a time.</param>
/// <param name="Limit">When it ends at the latest.</param>
/// <param name="Most">How many allocations end it.</param>
internal sealed record Contest(int Callers, TimeSpan Limit, int Most)
{
    /// <exception cref="InvalidOperationException">An address was given out twice.</exception>
    public async Task<ContestResult> RunAsync(IAllocationWay way, ITestCluster cluster, IReadOnlyList<int> serverProcesses)
    {
        using (way)
        {
            await way.PrepareAsync(cluster, Callers);
            using var end = new CancellationTokenSource();
            var (serial, done) = (-1, new List<(Allocation Allocation, double Milliseconds)>());
            var (bytes, cpu, own) = (WireBytes.Exchanged(cluster.Url.Port), Cpu(serverProcesses), Cpu([Environment.ProcessId]));
            var unfinished = new List<double>();
            var begin = Stopwatch.GetTimestamp();
            end.CancelAfter(Limit);
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller))));
            var elapsed = Stopwatch.GetElapsedTime(begin);
            (bytes, cpu, own) = (WireBytes.Exchanged(cluster.Url.Port) - bytes, Cpu(serverProcesses) - cpu, Cpu([Environment.ProcessId]) - own);

            if (done.DistinctBy(d => d.Allocation.Address).Count() != done.Count)
                throw new InvalidOperationException($"{way.Name} gave an address out twice");
            return new ContestResult(way.Name, done.Count, elapsed, [.. done.Select(d => d.Milliseconds), .. unfinished], done.Sum(d => d.Allocation.Conflicts), bytes, cpu, own);

            async Task CallAsync(int caller)
            {
                while (!end.IsCancellationRequested && Interlocked.Increment(ref serial) is var pod && pod < Most)
                {
                    var start = Stopwatch.GetTimestamp();
                    try
                    {
                        var allocation = await way.AllocateAsync(caller, pod, end.Token);
                        lock (done)
                            done.Add((allocation, Stopwatch.GetElapsedTime(start).TotalMilliseconds));
                    }
                    catch (OperationCanceledException)
                    {
                        // It has waited at least so long.
                        lock (done)
                            unfinished.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                    }
                }
            }
        }
    }

    private static TimeSpan Cpu(IReadOnlyList<int> processes)
    {
        var sum = TimeSpan.Zero;
        foreach (var id in processes)
        {
            using var process = Process.GetProcessById(id);
            sum += process.TotalProcessorTime;
        }

        return sum;
    }
}

/// <summary>What a contest showed.</summary>
/// <param name="Name">The way.</param>
/// <param name="Done">Allocations made.</param>
/// <param name="Elapsed">In this time.</param>
/// <param name="Waits">Milliseconds of each, also of those that were not done at the end.</param>
/// <param name="Conflicts">Writes refused because of others', of the allocations made.</param>
/// <param name="Bytes">Both directions, at the callers' connections, without their handshakes.</param>
/// <param name="ServerCpu">Of all processes of the API server.</param>
/// <param name="CallersCpu">Of this process.</param>
internal sealed record ContestResult(string Name, int Done, TimeSpan Elapsed, IReadOnlyList<double> Waits, int Conflicts, long Bytes, TimeSpan ServerCpu, TimeSpan CallersCpu)
{
    private readonly double[] sorted = [.. Waits.Order()];

    public double PerSecond => Done / Elapsed.TotalSeconds;

    public double ConflictsEach => (double)Conflicts / Done;

    public double BytesEach => (double)Bytes / Done;

    public double CpuMillisecondsEach => ServerCpu.TotalMilliseconds / Done;

    public double CallersCpuMillisecondsEach => CallersCpu.TotalMilliseconds / Done;

    public double P50 => Percentile(0.5);

    public double P99 => Percentile(0.99);

    private double Percentile(double part) => sorted.Length == 0 ? double.NaN : sorted[Math.Min(sorted.Length - 1, (int)Math.Ceiling(part * sorted.Length) - 1)];
}
