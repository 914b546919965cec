using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>What the installer says.</summary>
internal static partial class InstallLog
{
    [LoggerMessage(701, LogLevel.Information, "installs Danm {Version} for node {Node}: plugins in {BinDir}, configuration in {ConfDir}")]
    public static partial void Installs(this ILogger log, string version, string node, string binDir, string confDir);

    [LoggerMessage(702, LogLevel.Information, "wrote {What}")]
    public static partial void Wrote(this ILogger log, string what);

    [LoggerMessage(703, LogLevel.Information, "removed {What}")]
    public static partial void Removed(this ILogger log, string what);

    [LoggerMessage(704, LogLevel.Information, "adopted the primary network: ClusterNetwork/default has NetworkID {NetworkId} and NetworkType {NetworkType}")]
    public static partial void Adopted(this ILogger log, string networkId, string networkType);

    [LoggerMessage(705, LogLevel.Warning, "{Cause}")]
    public static partial void Fails(this ILogger log, string cause);

    [LoggerMessage(706, LogLevel.Information, "installed: Pods of this node start with Danm; the token is renewed in {Minutes} minutes")]
    public static partial void Installed(this ILogger log, int minutes);

    [LoggerMessage(707, LogLevel.Information, "the installer ends; what it installed stays")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(708, LogLevel.Information, "got a token for the node's Pods: {Cause}")]
    public static partial void Renewed(this ILogger log, string cause);
}
