using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>Whoever reaches the port may send anything.</summary>
[TestFixture, Parallelizable]
public sealed class HostileCallerTests : WebhookFixture
{
    // What .NET takes for its heap of a container's 256Mi: three quarters.
    private protected override (string Name, string Value)[] Surroundings => [("DOTNET_GCHeapHardLimit", "C000000")];

    private HttpClient caller = null!;

    [OneTimeSetUp]
    public void Connect() => caller = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true } })
    {
        BaseAddress = new Uri($"https://127.0.0.1:{HealthPorts.Keys.First()}"),
    };

    [OneTimeTearDown]
    public void Disconnect() => caller.Dispose();

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("\"review\"")]
    [TestCase("{}")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}""")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v2","kind":"AdmissionReview","request":{"uid":"u"}}""")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":{"uid":7}}""")]
    [TestCase("""{"apiVersion":"admission.k8s.io/v1","request":[]}""")]
    public async Task What_is_no_review_is_a_bad_request(string body) => (await PostAsync("/netvalidation", body)).Code.Should().Be(HttpStatusCode.BadRequest);

    [Test]
    public async Task Depth_is_bounded([Values("/netvalidation", "/confvalidation", "/netdeletion")] string path)
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 100_000)) + "1" + new string('}', 100_000);

        (await PostAsync(path, $$$"""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"u","kind":{"group":"danm.io","version":"v1","kind":"DanmNet"},"operation":"CREATE","object":{{{deep}}}}}""")).Code
            .Should().Be(HttpStatusCode.BadRequest);
    }

    [Test]
    public async Task Size_is_bounded()
    {
        // Without asking first, the caller may find the connection closed before it can read the answer.
        caller.DefaultRequestHeaders.ExpectContinue = true;
        var (code, _) = await PostAsync("/netvalidation", $$$"""{"apiVersion":"admission.k8s.io/v1","request":{"uid":"{{{new string('u', 5 << 20)}}}"}}""");

        caller.DefaultRequestHeaders.ExpectContinue = false;
        code.Should().Be(HttpStatusCode.RequestEntityTooLarge);
    }

    [Test]
    public async Task A_review_that_names_no_length_is_read_and_bounded_too()
    {
        var (code, body) = await PostAsync("/netvalidation", Review("""{"metadata":{"name":"n","namespace":"ns"},"spec":{"NetworkID":"n"}}"""), isChunked: true);
        (code, JsonNode.Parse(body)!.At("response", "uid").String()).Should().Be((HttpStatusCode.OK, "u"));
        (await PostAsync("/netvalidation", "{", isChunked: true)).Code.Should().Be(HttpStatusCode.BadRequest);

        try
        {
            (code, _) = await PostAsync("/netvalidation", Review($$$"""{"metadata":{"name":"{{{new string('n', 5 << 20)}}}"}}"""), isChunked: true);
            code.Should().Be(HttpStatusCode.RequestEntityTooLarge);
        }
        catch (HttpRequestException)
        {
            // Closed while it was still being sent: the answer was not waited for.
        }
    }

    /// <summary>Fewer bytes than Kestrel's own rate would end, for longer than a review may take.</summary>
    [Test]
    public async Task A_body_that_trickles_in_is_given_up_in_time()
    {
        using var content = new Trickle();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/netvalidation", UriKind.Relative)) { Content = content };

        try
        {
            using var response = await caller.SendAsync(request).WaitAsync(TimeSpan.FromSeconds(30));
            response.StatusCode.Should().Be(HttpStatusCode.RequestTimeout);
        }
        catch (HttpRequestException)
        {
            // Closed while it was still being sent: the answer was not waited for.
        }
    }

    [Test]
    public async Task Many_of_the_largest_at_once_cost_a_bounded_memory_and_hold_up_no_small_one()
    {
        var large = Review($$$"""{"metadata":{"name":"n","namespace":"ns"},"spec":{"NetworkID":"n","Options":{"alloc":"{{{new string('A', 2_900_000)}}}"} } }""");
        var flood = Enumerable.Range(0, 60).Select(_ => PostAsync("/netvalidation", large)).ToList();
        var small = await PostAsync("/netvalidation", Review("""{"metadata":{"name":"n","namespace":"ns"},"spec":{"NetworkID":"n"}}"""));

        small.Code.Should().Be(HttpStatusCode.OK);
        (await Task.WhenAll(flood)).Should().OnlyContain(a => a.Code == HttpStatusCode.OK || a.Code == HttpStatusCode.ServiceUnavailable).And.Contain(a => a.Code == HttpStatusCode.OK);
        var peak = Peak(Running[0].Id);
        await TestContext.Progress.WriteLineAsync($"peak of the webhook: {peak} KB");
        peak.Should().BeLessThan(256 * 1024, "manifests/ give it 256Mi");
    }

    [Test]
    public async Task Other_methods_types_and_paths_are_refused()
    {
        (await caller.GetAsync(new Uri("/netvalidation", UriKind.Relative))).StatusCode.Should().Be(HttpStatusCode.MethodNotAllowed);
        (await PostAsync("/netvalidation", "a=b", "application/x-www-form-urlencoded")).Code.Should().Be(HttpStatusCode.UnsupportedMediaType);
        (await PostAsync("/", "{}")).Code.Should().Be(HttpStatusCode.NotFound);
        (await PostAsync("/netvalidation/../confvalidation/x", "{}")).Code.Should().Be(HttpStatusCode.NotFound);
    }

    [TestCase("/netvalidation", """{"metadata":null,"spec":null}""")]
    [TestCase("/netvalidation", """{"metadata":[],"spec":{"Options":[]}}""")]
    [TestCase("/netvalidation", """{"spec":"text"}""")]
    [TestCase("/netvalidation", """{"metadata":{"name":7},"spec":{"NetworkID":{}}}""")]
    [TestCase("/netvalidation", """{"spec":{"NetworkID":"a\u0000b","Options":{"routes":{"x":null},"allocation_pool":null}}}""")]
    [TestCase("/netvalidation", "[]")]
    [TestCase("/netvalidation", "null")]
    [TestCase("/netdeletion", """{"metadata":[]}""")]
    public async Task An_object_of_any_shape_gets_an_answer_in_bounds(string path, string value)
    {
        foreach (var kind in (string[])["DanmNet", "TenantNetwork", "ClusterNetwork", "", "Pod"])
        {
            foreach (var operation in (string[])["CREATE", "UPDATE", "DELETE", "CONNECT", ""])
            {
                var (code, body) = await PostAsync(path, $$$"""
                    {"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"the-uid","kind":{"group":"danm.io","version":"v1","kind":"{{{kind}}}"},
                     "namespace":"ns","name":"n","operation":"{{{operation}}}","object":{{{value}}},"oldObject":{{{(operation is "UPDATE" or "DELETE" ? value : "null")}}}}}
                    """);

                code.Should().Be(HttpStatusCode.OK);
                body.Length.Should().BeLessThan(20_000);
                var answer = JsonNode.Parse(body)!;
                answer["apiVersion"].String().Should().Be("admission.k8s.io/v1beta1", "it is answered in kind");
                answer.At("response", "uid").String().Should().Be("the-uid");
                answer.At("response", "allowed")!.GetValueKind().Should().BeOneOf(System.Text.Json.JsonValueKind.True, System.Text.Json.JsonValueKind.False);
                (answer.At("response", "status", "reason").String() ?? "").Should().NotBe("InternalError", body);
            }
        }
    }

    private static string Review(string value) =>
        $$$"""{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"danm.io","version":"v1","kind":"DanmNet"},"namespace":"ns","name":"n","operation":"CREATE","object":{{{value}}}}}""";

    private async Task<(HttpStatusCode Code, string Body)> PostAsync(string path, string body, string type = "application/json", bool isChunked = false)
    {
        using var content = new StringContent(body, Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = content, Headers = { TransferEncodingChunked = isChunked } };
        using var response = await caller.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private static int Peak(int pid) => int.Parse(
        File.ReadLines($"/proc/{pid}/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>40 KB a second of the 4 MB that it promises.</summary>
    private sealed class Trickle : HttpContent
    {
        public Trickle() => Headers.ContentType = new MediaTypeHeaderValue("application/json");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            try
            {
                for (var i = 0; i < 400; i++)
                {
                    await stream.WriteAsync(Enumerable.Repeat((byte)' ', 4_000).ToArray());
                    await stream.FlushAsync();
                    await Task.Delay(100);
                }
            }
            catch (IOException)
            {
                // The answer has come, and the connection is closed.
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 400 * 4_000;
            return true;
        }
    }
}
