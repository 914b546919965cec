using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>
/// HTTPS to one <c>clientConfig</c>. HTTP/1.1, as a real server does on purpose: so concurrent calls are spread
/// over connections and with them over a Service's endpoints. A request is never sent twice, as Go's client never
/// repeats a POST of which it wrote anything.
/// </summary>
public sealed class WebhookClient : IDisposable
{
    private readonly HttpMessageInvoker http;
    private readonly Uri address;

    /// <exception cref="CryptographicException">The bundle holds no certificate.</exception>
    public WebhookClient(JsonObject clientConfig, ServiceEndpoints services)
    {
        var service = clientConfig["service"];
        address = service is null ? new Uri(clientConfig["url"].String()!) : AddressOf(service);
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Verify((X509Certificate2?)certificate, chain, errors);
        if (clientConfig["caBundle"].String() is { Length: > 0 } bundle)
            handler.SslOptions.CertificateChainPolicy = Trusting(bundle);
        if (service is not null)
        {
            var name = $"{service["namespace"].String()}/{service["name"].String()}";
            handler.ConnectCallback = async (_, cancellation) => await ConnectAsync(services.Next(name) ?? throw new IOException($"no endpoints available for service \"{name.Split('/')[1]}\""), cancellation);
        }
        http = new HttpMessageInvoker(handler);
    }

    /// <exception cref="WebhookFailure">The call failed, whatever the reason.</exception>
    public async Task<byte[]> PostAsync(JsonObject review, TimeSpan timeout, CancellationToken cancellation)
    {
        var target = new UriBuilder(address) { Query = $"timeout={(int)timeout.TotalSeconds}s" }.Uri;
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new SentOnce(Json.ToUtf8(review)), Version = HttpVersion.Version11 };
        request.Headers.Accept.ParseAdd("application/json, */*");
        request.Headers.UserAgent.ParseAdd("kube-apiserver-admission");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        try
        {
            using var response = await http.SendAsync(request, patience.Token);
            var body = await response.Content.ReadAsByteArrayAsync(patience.Token);
            return response.IsSuccessStatusCode ? body : throw new WebhookFailure(Refused((int)response.StatusCode, body));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new WebhookFailure($"failed to call webhook: Post \"{target}\": context deadline exceeded");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new WebhookFailure($"failed to call webhook: Post \"{target}\": {Innermost(e).Message}");
        }
    }

    private static Uri AddressOf(JsonNode service)
    {
        var port = service["port"]?.GetValue<int>() ?? 443;
        return new Uri(new Uri($"https://{service["name"].String()}.{service["namespace"].String()}.svc:{port}"), service["path"].String() ?? "/");
    }

    private static async Task<Stream> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellation)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endpoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static X509ChainPolicy Trusting(string bundle)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
        return policy.CustomTrustStore.Count > 0 ? policy : throw new CryptographicException("unable to load root certificates: unable to parse bytes as PEM block");
    }

    private bool Verify(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            throw new AuthenticationException("tls: no certificate");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            throw new AuthenticationException(Fault(chain));
        // Common names do not count since Go 1.15.
        return certificate.MatchesHostname(address.IdnHost.Trim('[', ']'), allowWildcards: true, allowCommonName: false)
            ? true
            : throw new AuthenticationException($"tls: failed to verify certificate: x509: certificate is not valid for {address.IdnHost}");
    }

    private static string Fault(X509Chain? chain)
    {
        var flags = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status) ?? X509ChainStatusFlags.NoError;
        return "tls: failed to verify certificate: x509: " + (flags switch
        {
            _ when (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0 => "certificate signed by unknown authority",
            _ when flags.HasFlag(X509ChainStatusFlags.NotTimeValid) => "certificate has expired or is not yet valid",
            _ => flags.ToString(),
        });
    }

    private static string Refused(int code, byte[] body) => "failed to call webhook: " + code switch
    {
        404 => "the server could not find the requested resource",
        500 => $"an error on the server ({JsonValue.Create(Encoding.UTF8.GetString(body)).ToJsonString(Json.Relaxed)}) has prevented the request from succeeding",
        503 => "the server is currently unable to handle the request",
        _ => $"the server responded with the status code {code} but did not return more information",
    };

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    public void Dispose() => http.Dispose();

    /// <summary>A body that cannot be written a second time.</summary>
    private sealed class SentOnce : HttpContent
    {
        private readonly byte[] body;
        private bool sent;

        public SentOnce(byte[] body)
        {
            this.body = body;
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            if (sent)
                throw new IOException("EOF");
            sent = true;
            return stream.WriteAsync(body, 0, body.Length);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
