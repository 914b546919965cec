using Danm.Ipam.Garbage;
using Microsoft.Extensions.Logging;

namespace Danm.Controller;

/// <summary>What the controller says.</summary>
internal static partial class ControllerLog
{
    [LoggerMessage(501, LogLevel.Information, "controller starts")]
    public static partial void Starts(this ILogger log);

    [LoggerMessage(502, LogLevel.Information, "controller ends")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(503, LogLevel.Warning, "the API server: {Cause}")]
    public static partial void ApiFailed(this ILogger log, string cause);

    [LoggerMessage(504, LogLevel.Information, "node {Node} is absent: what it had is freed once it has been so for {Grace} s")]
    public static partial void IsAbsent(this ILogger log, string node, double grace);

    [LoggerMessage(505, LogLevel.Warning, "node {Node} is gone: {Objects} of its addresses and interfaces are freed")]
    public static partial void IsGone(this ILogger log, string node, int objects);

    [LoggerMessage(506, LogLevel.Warning, "node {Node} is tainted out of service, but Ready: nothing of it is freed; remove the taint, or shut the node down")]
    public static partial void IsTaintedButReady(this ILogger log, string node);

    [LoggerMessage(507, LogLevel.Information, "node {Node} is there again, and keeps what it has")]
    public static partial void IsBack(this ILogger log, string node);

    [LoggerMessage(508, LogLevel.Warning, "of a node that is gone, {Failures} objects could not be deleted, and are tried again: {First}")]
    public static partial void NotFreed(this ILogger log, int failures, string first);

    [LoggerMessage(509, LogLevel.Warning, "VNIs: {Failures} objects could not be mended, and are tried again: {First}")]
    public static partial void NotMended(this ILogger log, int failures, string first);

    [LoggerMessage(510, LogLevel.Debug, "pass over gone nodes: {Endpoints} DanmEps, {Allocations} IPAllocations deleted in {Seconds} s")]
    public static partial void Passed(this ILogger log, int endpoints, int allocations, double seconds);

    [LoggerMessage(511, LogLevel.Warning, "--vni-grace of {Grace} s is shorter than a create may take: an id can be given to two networks; use it in tests only")]
    public static partial void IsShort(this ILogger log, double grace);

    /// <summary>What has become of a node since the last pass.</summary>
    public static void Tell(this ILogger log, string node, NodeFate fate, TimeSpan grace)
    {
        if (fate == NodeFate.Absent)
            log.IsAbsent(node, grace.TotalSeconds);
        else if (fate == NodeFate.TaintedButReady)
            log.IsTaintedButReady(node);
        else if (fate == NodeFate.Alive)
            log.IsBack(node);
    }
}
