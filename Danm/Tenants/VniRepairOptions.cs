namespace Danm.Tenants;

/// <summary>How <see cref="VniRepair"/> works.</summary>
public sealed record VniRepairOptions
{
    /// <summary>
    /// How long an id must have been unused before it is free: 10 minutes. A create that was admitted is stored within the API server's request
    /// time-out (60 s by default) or never.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many deletes begin in a second.</summary>
    public int DeletesPerSecond { get; init; } = 20;
}

/// <summary>What a pass of <see cref="VniRepair"/> did.</summary>
/// <param name="Freed">Names of VNIAllocations deleted.</param>
/// <param name="Restored">Names of VNIAllocations made.</param>
/// <param name="Corrected">Names of VNIAllocations that name the network now that has the id.</param>
/// <param name="Failures">What could not be done, and why; the next pass tries again.</param>
public sealed record VniRepairResult(IReadOnlyList<string> Freed, IReadOnlyList<string> Restored, IReadOnlyList<string> Corrected, IReadOnlyList<string> Failures)
{
    /// <summary>A pass that found nothing to do.</summary>
    public static readonly VniRepairResult Nothing = new([], [], [], []);
}
