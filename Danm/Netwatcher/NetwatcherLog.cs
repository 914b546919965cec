using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>What netwatcher says.</summary>
internal static partial class NetwatcherLog
{
    [LoggerMessage(1, LogLevel.Information, "netwatcher of node {Node} starts")]
    public static partial void Starts(this ILogger log, string node);

    [LoggerMessage(2, LogLevel.Information, "{Step}")]
    public static partial void Did(this ILogger log, string step);

    [LoggerMessage(3, LogLevel.Warning, "{Network}: {Problem}")]
    public static partial void HasProblem(this ILogger log, string network, string problem);

    [LoggerMessage(4, LogLevel.Information, "{Network}: mended")]
    public static partial void Mended(this ILogger log, string network);

    [LoggerMessage(5, LogLevel.Warning, "the API server: {Cause}")]
    public static partial void ApiFailed(this ILogger log, string cause);

    [LoggerMessage(7, LogLevel.Information, "{Network}: master leads to {Master} now")]
    public static partial void Rewritten(this ILogger log, string network, string master);

    [LoggerMessage(8, LogLevel.Information, "netwatcher ends; interfaces stay as they are")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(9, LogLevel.Information, "{Network}: {Lack}")]
    public static partial void IsNotForThisNode(this ILogger log, string network, string lack);

    [LoggerMessage(10, LogLevel.Warning, "garbage: {Kind} of Pod {Pod}, container {Container}: {Allocations} ({Reason})")]
    public static partial void Found(this ILogger log, string kind, string pod, string? container, string allocations, string reason);

    [LoggerMessage(11, LogLevel.Warning, "what calls have left on this node cannot be seen to now: {Cause}")]
    public static partial void UpkeepFailed(this ILogger log, string cause);

    [LoggerMessage(12, LogLevel.Error, "neither probes nor metrics are served: {Cause}; give other addresses, or 0")]
    public static partial void ServesNothing(this ILogger log, string cause);
}
