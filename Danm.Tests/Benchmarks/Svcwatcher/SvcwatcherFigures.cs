namespace Danm.Tests.Benchmarks.Svcwatcher;

/// <summary>What one start took.</summary>
/// <param name="Seconds">From the process's start until all is done.</param>
/// <param name="Cpu">Of the process in that time, in seconds.</param>
/// <param name="ServerCpu">Of the API server's process in that time, in seconds.</param>
/// <param name="PeakMegabytes">The most that was resident.</param>
/// <param name="RestMegabytes">Resident a while after.</param>
internal sealed record StartFigures(double Seconds, double Cpu, double ServerCpu, double PeakMegabytes, double RestMegabytes);

/// <summary>What was measured in a cluster of one size.</summary>
/// <param name="Services">Without the one that is rolled out.</param>
/// <param name="Interfaces">In them.</param>
/// <param name="Slices">Of all.</param>
/// <param name="First">Without any slice.</param>
/// <param name="Second">With all of them.</param>
internal sealed record SvcwatcherFigures(int Services, int Interfaces, int Slices, StartFigures First, StartFigures Second)
{
    /// <summary>How long each change of one Pod took, in milliseconds, the shortest first.</summary>
    public required IReadOnlyList<double> Flips { get; init; }

    /// <summary>The writes of all these changes.</summary>
    public required int FlipWrites { get; init; }

    /// <summary>CPU milliseconds of the process for each change.</summary>
    public required double FlipCpu { get; init; }

    /// <summary>How long Pods came and went.</summary>
    public required double RollSeconds { get; init; }

    /// <summary>How often the Service's slices were written.</summary>
    public required int RollSyncs { get; init; }

    /// <summary>The slices that were written in all of these.</summary>
    public required int RollWrites { get; init; }

    /// <summary>How often the slice that was written most was.</summary>
    public required int RollMostOfOne { get; init; }

    /// <summary>Seconds of the process's CPU.</summary>
    public required double RollCpu { get; init; }

    /// <summary>The change that such a part of all is not slower than.</summary>
    public double FlipAt(double part) => Flips[(int)(Flips.Count * part)];
}
