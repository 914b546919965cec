using Microsoft.Extensions.Logging;

namespace Danm.Kube.Elections;

/// <summary>What leader elections say.</summary>
internal static partial class ElectionLog
{
    [LoggerMessage(201, LogLevel.Information, "{Identity} stands for the lease {Namespace}/{Name}")]
    public static partial void Stands(this ILogger log, string identity, string @namespace, string name);

    [LoggerMessage(202, LogLevel.Information, "{Identity} holds the lease {Namespace}/{Name} and leads")]
    public static partial void Leads(this ILogger log, string identity, string @namespace, string name);

    [LoggerMessage(203, LogLevel.Error, "{Identity} could not renew the lease {Namespace}/{Name} in time and leads no more")]
    public static partial void Lost(this ILogger log, string identity, string @namespace, string name);

    [LoggerMessage(204, LogLevel.Information, "{Identity} released the lease {Namespace}/{Name}")]
    public static partial void Released(this ILogger log, string identity, string @namespace, string name);

    [LoggerMessage(205, LogLevel.Warning, "the lease {Namespace}/{Name} is not released and will expire: {Cause}")]
    public static partial void NotReleased(this ILogger log, string @namespace, string name, string cause);

    [LoggerMessage(206, LogLevel.Warning, "the lease {Namespace}/{Name} could not be taken or renewed: {Cause}")]
    public static partial void NotHeld(this ILogger log, string @namespace, string name, string cause);

    [LoggerMessage(207, LogLevel.Information, "{Leader} has the lease {Namespace}/{Name}")]
    public static partial void NewLeader(this ILogger log, string leader, string @namespace, string name);
}
