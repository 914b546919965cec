namespace Danm.Tests.Benchmarks;

/// <summary>What is measured: a name, one run of it, and the aims for its medians.</summary>
/// <param name="Name">As the table shows it.</param>
/// <param name="Run">One run; throws if the process did not do what it should.</param>
/// <param name="CpuAim">Milliseconds.</param>
/// <param name="PeakAim">Megabytes of 1,000,000 bytes.</param>
internal sealed record Series(string Name, Func<Task<ProcessCost>> Run, double? CpuAim = null, double? PeakAim = null)
{
    private readonly List<ProcessCost> costs = [];

    public Spread Cpu => Spread.Of(costs.Select(c => c.Cpu.TotalMilliseconds));

    public Spread Wall => Spread.Of(costs.Select(c => c.Wall.TotalMilliseconds));

    public Spread Peak => Spread.Of(costs.Select(c => c.PeakKilobytes * 1024 / 1e6));

    public bool MeetsAims => !(Cpu.Median > CpuAim || Peak.Median > PeakAim);

    /// <summary>All series once a round, so that what disturbs the machine for a while disturbs all of them.</summary>
    public static async Task MeasureAsync(IReadOnlyList<Series> all, int warmUps, int runs, Action<int> progress)
    {
        for (var round = -warmUps; round < runs; round++)
        {
            progress(round);
            foreach (var series in all)
            {
                var cost = await series.Run();
                if (round >= 0)
                    series.costs.Add(cost);
            }
        }
    }
}

/// <summary>The least, the middle and the most of some figures.</summary>
internal readonly record struct Spread(double Min, double Median, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return new(sorted[0], sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2, sorted[^1]);
    }

    /// <summary>Nothing for what a series does not measure.</summary>
    public override string ToString() => Max > 0 ? FormattableString.Invariant($"{Median:0.0} ({Min:0.0} to {Max:0.0})") : "";
}
