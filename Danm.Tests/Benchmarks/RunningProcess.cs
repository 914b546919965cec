using System.Globalization;

namespace Danm.Tests.Benchmarks;

/// <summary>What a process that runs has used so far, as /proc tells it.</summary>
internal static class RunningProcess
{
    // Clock ticks of /proc are hundredths of a second on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>User and system time.</summary>
    public static double CpuSeconds(int process)
    {
        // The name, which may hold anything, ends with the last bracket; utime and stime are fields 14 and 15.
        var fields = File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ');
        return (double.Parse(fields[12], CultureInfo.InvariantCulture) + double.Parse(fields[13], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>Resident memory, in megabytes of 1,000,000 bytes.</summary>
    public static double ResidentMegabytes(int process) => Megabytes(process, "VmRSS");

    /// <summary>The most that was ever resident.</summary>
    public static double PeakMegabytes(int process) => Megabytes(process, "VmHWM");

    private static double Megabytes(int process, string name) => File.ReadAllLines($"/proc/{process}/status")
        .Where(l => l.StartsWith(name + ":", StringComparison.Ordinal))
        .Select(l => double.Parse(l.Split(':')[1].Trim().Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e6)
        .Single();
}
