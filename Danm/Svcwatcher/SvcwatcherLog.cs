using Danm.Cni;
using Danm.Kube.Watching;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>What the svcwatcher says.</summary>
internal static partial class SvcwatcherLog
{
    [LoggerMessage(601, LogLevel.Information, "svcwatcher starts")]
    public static partial void Starts(this ILogger log);

    [LoggerMessage(602, LogLevel.Information, "svcwatcher ends")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(603, LogLevel.Warning, "the API server: {Cause}")]
    public static partial void ApiFailed(this ILogger log, string cause);

    [LoggerMessage(604, LogLevel.Information, "Service {Service}: {Created} EndpointSlices created, {Updated} updated, {Deleted} deleted")]
    public static partial void Wrote(this ILogger log, ObjectKey service, int created, int updated, int deleted);

    [LoggerMessage(605, LogLevel.Warning, "Service {Service}: {Fault}")]
    private static partial void IsFaultyNow(this ILogger log, ObjectKey service, string fault);

    [LoggerMessage(606, LogLevel.Information, "waits for the original's svcwatcher on {Holder} to end: it still renews its lock")]
    public static partial void WaitsForOriginal(this ILogger log, string holder);

    public static void IsFaulty(this ILogger log, ObjectKey service, string fault) => log.IsFaultyNow(service, CniText.Clean(fault, 1000));
}
