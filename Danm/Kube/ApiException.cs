using System.Net;
using Danm.Api;

namespace Danm.Kube;

/// <summary>
/// The API server refused, or could not be asked. <see cref="Code"/> is its HTTP status, or null when no answer came
/// (connection refused or broken, wrong certificate, time-out), in which case nobody knows whether a write took effect.
/// </summary>
public sealed class ApiException : Exception
{
    internal ApiException(string request, HttpStatusCode code, Status? status)
        : base($"{request}: {(int)code} {status?.Reason ?? code.ToString()}{(status?.Message is { } m ? $": {m}" : "")}")
    {
        Code = code;
        Status = status;
    }

    internal ApiException(string request, string cause, Exception? inner)
        : base($"{request}: {cause}", inner)
    {
    }

    /// <summary>The HTTP status, null without an answer.</summary>
    public HttpStatusCode? Code { get; }

    /// <summary>The server's own words, where it sent a metav1.Status.</summary>
    public Status? Status { get; }

    /// <summary>How many earlier attempts got no answer, or one that does not tell whether they took effect.</summary>
    public int Unanswered { get; internal init; }

    /// <summary>Whether there was an earlier attempt whose effect nobody knows: an AlreadyExists may then be our own doing.</summary>
    public bool IsAfterRetry => Unanswered > 0;

    /// <summary>Whether the server did as it was asked, but what it sent is not of our types.</summary>
    public bool IsUnreadable => InnerException is System.Text.Json.JsonException;

    /// <summary>404 NotFound.</summary>
    public bool IsNotFound => Code == HttpStatusCode.NotFound;

    /// <summary>409 with reason AlreadyExists.</summary>
    public bool IsAlreadyExists => Code == HttpStatusCode.Conflict && Status?.Reason == "AlreadyExists";

    /// <summary>409 of a resourceVersion or of a precondition.</summary>
    public bool IsConflict => Code == HttpStatusCode.Conflict && !IsAlreadyExists;

    /// <summary>Whether the namespace is being deleted, so that nothing can be created in it any more.</summary>
    public bool IsNamespaceTerminating => Code == HttpStatusCode.Forbidden && Status?.Details?.Causes?.Exists(static c => c.Reason == "NamespaceTerminating") == true;

    /// <summary>Whether the same request may succeed a moment later.</summary>
    public bool IsTransient => Code is null or HttpStatusCode.TooManyRequests || (int)Code.Value >= 500;
}
