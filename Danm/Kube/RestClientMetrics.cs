using System.Diagnostics.Metrics;
using System.Net;

namespace Danm.Kube;

/// <summary>The requests of a long-lived mode, under client-go's well-known name.</summary>
public static class RestClientMetrics
{
    private static readonly Meter Meter = new("Danm.Kube.Requests");

    private static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "rest_client_requests", description: "Number of HTTP requests, partitioned by status code, method, and host.");

    /// <summary>Counts one; fits <see cref="ApiClient.Answered"/>.</summary>
    /// <param name="method">The method.</param>
    /// <param name="host">The server.</param>
    /// <param name="code">The answer's status; null: there was none.</param>
    public static void Count(HttpMethod method, string host, HttpStatusCode? code)
    {
        ArgumentNullException.ThrowIfNull(method);
        Requests.Add(1, new("code", code is { } c ? $"{(int)c}" : "<error>"), new("method", method.Method), new("host", host));
    }
}
