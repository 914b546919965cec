using System.Diagnostics;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;

namespace Danm.Tests.Benchmarks.Webhook;

/// <summary>
/// Sends reviews at a steady rate whether answers come or not, as many users do, over HTTP/1.1 with connections kept, as an API server does.
/// </summary>
internal sealed class ReviewLoad : IDisposable
{
    private readonly HttpClient http;

    public ReviewLoad(Uri address, X509Certificate2 authority)
    {
        var handler = new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2) };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { authority },
        };
        http = new HttpClient(handler) { BaseAddress = address };
    }

    /// <summary>Gives how long each answer took, in milliseconds, from when it was sent.</summary>
    /// <exception cref="InvalidOperationException">An answer was not what it should be, or the rate was not kept.</exception>
    public async Task<double[]> SendAsync(int rate, TimeSpan time)
    {
        var total = (int)(rate * time.TotalSeconds);
        var answers = new Task<double>[total];
        var begun = Stopwatch.GetTimestamp();
        for (var sent = 0; sent < total;)
        {
            for (var due = Math.Min(total, (int)(Stopwatch.GetElapsedTime(begun).TotalSeconds * rate) + 1); sent < due; sent++)
                answers[sent] = AskAsync(sent);
            await Task.Delay(1);
        }

        var kept = total / Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return kept > rate * 0.99 ? await Task.WhenAll(answers) : throw new InvalidOperationException($"{kept:0} reviews a second were sent instead of {rate}");
    }

    private async Task<double> AskAsync(int turn)
    {
        var (path, body, expected) = ReviewMix.At(turn);
        using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        var begun = Stopwatch.GetTimestamp();
        using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        var answer = await response.Content.ReadAsByteArrayAsync();
        var took = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        return response.IsSuccessStatusCode && answer.AsSpan().IndexOf(expected) >= 0
            ? took
            : throw new InvalidOperationException($"{(int)response.StatusCode} {System.Text.Encoding.UTF8.GetString(answer)}");
    }

    public void Dispose() => http.Dispose();
}
