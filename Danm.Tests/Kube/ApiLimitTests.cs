using System.Net;
using System.Text;
using Danm.Api;
using Danm.Kube;

namespace Danm.Tests.Kube;

/// <summary>Answers that no API server gives: none of them costs us more than a bounded time and memory.</summary>
[TestFixture, Parallelizable]
public sealed class ApiLimitTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

    [TestCase(true)]
    [TestCase(false)]
    public async Task An_endless_answer_is_read_to_the_limit_and_no_further(bool success)
    {
        var sent = 0L;
        await using var server = new RawServer(async (stream, cancellation) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes((success ? Ok : "HTTP/1.1 422 No\r\n") + "Transfer-Encoding: chunked\r\n\r\n"), cancellation);
            var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 0x10000)}\r\n");
            while (true)
            {
                await stream.WriteAsync(chunk, cancellation);
                Interlocked.Add(ref sent, 0x10000);
            }
        });

        (await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).WithMessage("*larger than 4194304 bytes*").Which.Code.Should().BeNull();

        server.Heads.Should().ContainSingle("it would be no smaller the next time");
        Interlocked.Read(ref sent).Should().BeGreaterThan(4 << 20).And.BeLessThan(64 << 20);
    }

    [TestCase(4 << 20, "larger than 4194304 bytes", false)]
    [TestCase(50 << 20, "larger than 4194304 bytes", false)]
    [TestCase(64 << 20, "larger than 67108864 bytes", true)]
    public async Task An_answer_that_says_it_is_too_large_is_not_read(int limit, string message, bool list)
    {
        await using var server = new RawServer($"{Ok}Content-Length: {limit + 1}\r\n\r\n");
        using var client = TestClient.Connect(server.Kubeconfig);

        var request = async () =>
        {
            if (list)
                await client.ListAsync(ResourcePath.Core("pods", "default"), "limit=5", ApiJson.Default.ObjectListPod, CancellationToken.None);
            else
                await client.TryGetAsync(ResourcePath.Core("pods", "default", "a"), ApiJson.Default.Pod, CancellationToken.None);
        };

        (await request.Should().ThrowAsync<ApiException>()).WithMessage($"*{message}*");
        server.Heads.Should().ContainSingle();
    }

    [TestCase("")]
    [TestCase(Ok)]
    [TestCase(Ok + "Content-Length: 10\r\n\r\n{")]
    public async Task A_server_that_falls_silent_is_tried_again_within_the_patience(string beginning)
    {
        await using var server = new RawServer(async (stream, cancellation) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning), cancellation);
            await Task.Delay(Timeout.Infinite, cancellation);
        });

        (await GetAsync(server, TimeSpan.FromMilliseconds(200)).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which.Code.Should().BeNull();

        server.Heads.Should().HaveCount(4);
    }

    [TestCase("")]
    [TestCase("HTTP/1.1 200")]
    [TestCase("SSH-2.0-OpenSSH_9.2\r\n")]
    [TestCase(Ok + "Content-Length: 10\r\n\r\n{")]
    [TestCase(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n{")]
    [TestCase(Ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n")]
    public async Task An_answer_that_breaks_off_or_is_no_HTTP_is_no_answer(string answer)
    {
        await using var server = new RawServer(answer);

        (await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which.Should().BeEquivalentTo(new { Code = (HttpStatusCode?)null, IsTransient = true });

        // .NET itself repeats a GET whose new connection ends without a byte, three times each.
        server.Heads.Should().HaveCount(answer.Length == 0 ? 16 : 4);
    }

    [Test]
    public async Task A_create_is_never_repeated_behind_our_back()
    {
        await using var server = new RawServer("");
        using var client = TestClient.Connect(server.Kubeconfig);

        (await client.CreateAsync(ResourcePath.Core("events", "default"), new CoreEvent(), ApiJson.Default.CoreEvent, CancellationToken.None).Awaiting(r => r)
            .Should().ThrowAsync<ApiException>()).Which.Code.Should().BeNull();

        server.Heads.Should().HaveCount(4).And.OnlyContain(head => head.StartsWith("POST /api/v1/namespaces/default/events HTTP/1.1"));
    }

    [TestCase("<html>", "no valid Pod")]
    [TestCase("null", "the answer is null")]
    [TestCase("[]", "no valid Pod")]
    [TestCase("{\"metadata\":{\"name\":5}}", "no valid Pod")]
    [TestCase("", "no valid Pod")]
    public async Task A_body_of_another_kind_is_no_answer(string body, string message)
    {
        await using var server = new RawServer($"{Ok}Content-Length: {body.Length}\r\n\r\n{body}");

        (await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).WithMessage($"*{message}*");
        server.Heads.Should().ContainSingle();
    }

    [Test]
    public async Task A_body_of_ten_thousand_levels_is_no_answer()
    {
        var body = $"{{\"metadata\":{{\"x\":{new string('[', 10_000)}{new string(']', 10_000)}}}}}";
        await using var server = new RawServer($"{Ok}Content-Length: {body.Length}\r\n\r\n{body}");

        (await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).WithMessage("*no valid Pod*");
    }

    [Test]
    public async Task A_proxys_page_of_refusal_is_told_by_its_status()
    {
        await using var server = new RawServer("HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");

        var failure = (await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which;

        failure.Code.Should().Be(HttpStatusCode.Forbidden);
        failure.Status.Should().BeNull();
        failure.Message.Should().EndWith("403 Forbidden");
    }

    // The token would go along.
    [TestCase("302 Found")]
    [TestCase("307 Temporary Redirect")]
    [TestCase("308 Permanent Redirect")]
    public async Task Nobody_is_followed_elsewhere(string status)
    {
        await using var elsewhere = new RawServer($"{Ok}Content-Length: 2\r\n\r\n{{}}");
        await using var server = new RawServer($"HTTP/1.1 {status}\r\nLocation: {elsewhere.Url}/api/v1/namespaces/default/pods/a\r\nContent-Length: 0\r\n\r\n");

        ((int?)(await GetAsync(server).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which.Code).Should().Be(int.Parse(status[..3]));

        server.Heads.Should().ContainSingle().Which.Should().Contain("Authorization: Bearer secret");
        elsewhere.Heads.Should().BeEmpty();
    }

    [Test]
    public async Task A_proxy_of_the_environment_is_not_asked()
    {
        await using var proxy = new RawServer($"{Ok}Content-Length: 2\r\n\r\n{{}}");
        await using var server = new RawServer($"{Ok}Content-Length: 2\r\n\r\n{{}}");
        var before = Environment.GetEnvironmentVariable("http_proxy");
        try
        {
            Environment.SetEnvironmentVariable("http_proxy", proxy.Url);
            await GetAsync(server);
        }
        finally
        {
            Environment.SetEnvironmentVariable("http_proxy", before);
        }

        server.Heads.Should().ContainSingle();
        proxy.Heads.Should().BeEmpty();
    }

    [Test]
    public async Task A_server_that_is_not_there_is_an_error_that_says_what_was_asked()
    {
        string kubeconfig;
        await using (var server = new RawServer(""))
            kubeconfig = server.Kubeconfig;
        using var client = TestClient.Connect(kubeconfig);

        (await client.TryGetAsync(ResourcePath.Core("pods", "default", "a"), ApiJson.Default.Pod, CancellationToken.None).Awaiting(r => r)
            .Should().ThrowAsync<ApiException>()).WithMessage("GET http://127.0.0.1:*/api/v1/namespaces/default/pods/a: *refused*").Which.Code.Should().BeNull();
    }

    private static async Task<Pod?> GetAsync(RawServer server, TimeSpan? patience = null)
    {
        using var client = TestClient.Connect(server.Kubeconfig, patience);
        return await client.TryGetAsync(ResourcePath.Core("pods", "default", "a"), ApiJson.Default.Pod, CancellationToken.None);
    }
}
