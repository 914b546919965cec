using Danm.Api;
using Danm.Networks;
using Microsoft.Extensions.Logging;

namespace Danm.Tenants;

/// <summary>What the upkeep of tenants' ids says.</summary>
internal static partial class TenantsLog
{
    [LoggerMessage(401, LogLevel.Information, "{Vni} is free again: no TenantNetwork has it; it was reserved for {Network}")]
    public static partial void Freed(this ILogger log, Vni? vni, NetworkRef? network);

    [LoggerMessage(402, LogLevel.Warning, "{Network} has {Vni}, whose VNIAllocation was missing: made again")]
    public static partial void Restored(this ILogger log, NetworkRef network, Vni vni);

    [LoggerMessage(403, LogLevel.Information, "VNIAllocation {Name} names {Network} now, which has its id, instead of {Before}")]
    public static partial void Corrected(this ILogger log, string? name, NetworkRef network, NetworkRef? before);

    [LoggerMessage(405, LogLevel.Information, "{Vni} stays reserved: no TenantNetwork has it, but Pod {Pod} stands on it still")]
    public static partial void StaysInUse(this ILogger log, Vni vni, string pod);

    [LoggerMessage(404, LogLevel.Warning, "{Problem}")]
    public static partial void HasProblem(this ILogger log, string problem);
}
