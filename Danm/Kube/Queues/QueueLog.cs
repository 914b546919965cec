using Microsoft.Extensions.Logging;

namespace Danm.Kube.Queues;

/// <summary>What reconcile loops say.</summary>
internal static partial class QueueLog
{
    [LoggerMessage(101, LogLevel.Warning, "{Controller}: {Key} failed, tried again in {Seconds} s: {Cause}")]
    public static partial void Failed(this ILogger log, string controller, object key, double seconds, string cause);

    [LoggerMessage(102, LogLevel.Error, "{Controller}: {Key} failed, tried again in {Seconds} s")]
    public static partial void Broke(this ILogger log, string controller, object key, double seconds, Exception cause);

    [LoggerMessage(103, LogLevel.Warning, "{Controller}: {Count} keys are still at work {Seconds} s after the end and are cancelled")]
    public static partial void Overstays(this ILogger log, string controller, int count, double seconds);
}
