using Danm.Cni;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook;

/// <summary>What the webhook says.</summary>
internal static partial class WebhookLog
{
    // As long as an object's name can be.
    private const int MaxText = 253;

    [LoggerMessage(1, LogLevel.Information, "webhook listens on {Address}")]
    public static partial void Listens(this ILogger log, string address);

    [LoggerMessage(2, LogLevel.Information, "{Webhook}: denied {Operation} of {Kind} {Namespace}/{Name}: {Message}")]
    private static partial void WriteDenied(ILogger log, string webhook, string operation, string kind, string @namespace, string name, string? message);

    [LoggerMessage(3, LogLevel.Error, "{Webhook}: {Kind} {Namespace}/{Name}")]
    private static partial void WriteBroke(ILogger log, string webhook, string kind, string @namespace, string name, Exception cause);

    [LoggerMessage(4, LogLevel.Warning, "the API server: {Cause}")]
    public static partial void ApiFailed(this ILogger log, string cause);

    [LoggerMessage(5, LogLevel.Information, "serves the certificate {Thumbprint}, valid until {NotAfter:u}")]
    public static partial void Serves(this ILogger log, string thumbprint, DateTimeOffset notAfter);

    [LoggerMessage(6, LogLevel.Error, "certificate: {Cause}")]
    public static partial void CertificateFailed(this ILogger log, string cause);

    [LoggerMessage(7, LogLevel.Information, "{What}")]
    public static partial void Did(this ILogger log, string what);

    [LoggerMessage(8, LogLevel.Information, "webhook drains: not ready any more, ends in {Seconds} s")]
    public static partial void Drains(this ILogger log, double seconds);

    [LoggerMessage(9, LogLevel.Information, "webhook ends")]
    public static partial void Ends(this ILogger log);

    [LoggerMessage(10, LogLevel.Warning, "the word {Word} on the command line is no flag, and ignored")]
    public static partial void IgnoresWord(this ILogger log, string word);

    /// <summary>A request was denied. What it says of itself is foreign text, and its message is clean already.</summary>
    public static void Denied(this ILogger log, string webhook, string? operation, string? kind, string? @namespace, string? name, string? message) =>
        WriteDenied(log, webhook, Clean(operation), Clean(kind), Clean(@namespace), Clean(name), message);

    /// <summary>A request could not be decided.</summary>
    public static void Broke(this ILogger log, string webhook, string? kind, string? @namespace, string? name, Exception cause) =>
        WriteBroke(log, webhook, Clean(kind), Clean(@namespace), Clean(name), cause);

    private static string Clean(string? text) => CniText.Clean(text ?? "", MaxText);
}
