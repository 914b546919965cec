using Danm.Tests.ApiServer.Admission;

namespace Danm.Tests.ApiServer.Http;

/// <summary>One request as the server saw it. Times are of the monotonic clock since the server's start.</summary>
public sealed class RequestRecord
{
    /// <summary>get, list, watch, create, update, patch, delete, deletecollection; the HTTP method in lower case off resources.</summary>
    public required string Verb { get; init; }
    public required string Path { get; init; }
    public required string Query { get; init; }
    public string Resource { get; init; } = "";
    public string? Namespace { get; init; }
    public string? Name { get; init; }
    public string? Subresource { get; init; }
    public string User { get; internal set; } = "";
    public int Status { get; internal set; }
    public long RequestBytes { get; internal set; }
    public long ResponseBytes { get; internal set; }
    public TimeSpan Started { get; init; }
    public TimeSpan? Ended { get; internal set; }

    /// <summary>Requests in flight when this one began, itself included.</summary>
    public int Concurrency { get; init; }

    /// <summary>The webhooks that were asked, in order, again for each attempt of a patch.</summary>
    public IReadOnlyList<AdmissionCall> Admission { get; internal set; } = [];

    public string Connection { get; init; } = "";

    public override string ToString() => $"{Verb} {Path}{Query} {User} {Status} {ResponseBytes} B {Started.TotalMilliseconds:0.0}..{Ended?.TotalMilliseconds:0.0} ms, {Concurrency} in flight";
}
