using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>The server over TLS, with literal objects.</summary>
public sealed class WireTests
{
    private const string Widgets = "/apis/example.io/v1/namespaces/default/widgets";

    private EmbeddedApiServer server = null!;
    private HttpClient client = null!;

    internal static string Data(string name) => Path.Combine(TestContext.CurrentContext.TestDirectory, "ApiServer/Tests/Data", name);

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Data("widgets.yaml")], BookmarkInterval = TimeSpan.FromMilliseconds(50) });
        client = Client(server.AdminToken);
    }

    [TearDown]
    public async Task Stop()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [TestCase("", "PartialObjectMetadata")]
    [TestCase("?includeObject=Metadata", "PartialObjectMetadata")]
    [TestCase("?includeObject=Object", "Widget")]
    [TestCase("?includeObject=None", null)]
    [TestCase("?includeObject=All", "400")]
    public async Task Tables_carry_of_their_objects_what_is_asked_for(string query, string? kind)
    {
        server.Store.Create(JsonNode.Parse(Widget("a", """{"size": 3}"""))!);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Url, Widgets + query));
        request.Headers.Accept.ParseAdd("application/json;as=Table;g=meta.k8s.io;v=v1");
        using var response = await client.SendAsync(request);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        if (kind == "400")
        {
            answer["code"]!.GetValue<int>().Should().Be(400);
            return;
        }

        answer["columnDefinitions"]![0]!["name"].String().Should().Be("Name");
        var row = answer["rows"]!.AsArray().Should().ContainSingle().Subject!;
        row["cells"]!.AsArray().Should().HaveCount(answer["columnDefinitions"]!.AsArray().Count);
        row["cells"]![0].String().Should().Be("a");
        row["object"].At("kind").String().Should().Be(kind);
    }

    [Test]
    public void A_rows_age_moves_on_though_the_row_is_kept()
    {
        var row = new TableRow((JsonObject)JsonNode.Parse("""{"metadata":{"name":"a","creationTimestamp":"2026-01-01T00:00:00Z"}}""")!, [Column.Name, Column.Age, Column.Name]);
        var made = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

        TextAfter(5).Should().Be("""["a","5s","a"]""");
        TextAfter(7200).Should().Be("""["a","120m","a"]""");

        string TextAfter(int seconds)
        {
            using var text = new PooledText(1);
            row.Write(text, new AgeText(made.AddSeconds(seconds)));
            return Encoding.UTF8.GetString(text.Written.Span);
        }
    }

    [Test]
    public async Task Creates_reads_and_deletes_over_HTTP2()
    {
        var (code, created) = await Send("POST", Widgets, Widget("a", """{"size": 3, "routes": {"k": null}, "end": null}"""));
        code.Should().Be(201);
        created["spec"]!.ToJsonString().Should().Be("""{"size":3,"routes":{},"colour":"red"}""");
        created.At("metadata", "generation")!.GetValue<int>().Should().Be(1);
        var (_, read) = await Send("GET", Widgets + "/a");
        JsonNode.DeepEquals(read, created).Should().BeTrue();
        (await Send("DELETE", Widgets + "/a")).Body["status"].String().Should().Be("Success");
        (await Send("GET", Widgets + "/a")).Code.Should().Be(404);
        (await Send("GET", Widgets + "/a")).Body["message"].String().Should().Be("widgets.example.io \"a\" not found");
    }

    [TestCase("""{}""", "Widget.example.io \"a\" is invalid: [spec.size: Required value, <nil>: Invalid value: \"null\": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation]")]
    [TestCase("""{"size": 11}""", "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10")]
    [TestCase("""{"size": "1"}""", "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"")]
    [TestCase("""{"size": 1.5}""", "spec.size: Invalid value: \"number\": spec.size in body must be of type integer: \"number\"")]
    [TestCase("""{"size": 3, "end": 2}""", "spec: Invalid value: \"object\": size must not exceed end")]
    [TestCase("""{"size": 3, "colour": "Red"}""", "spec.colour: Invalid value: \"Red\": spec.colour in body should match '^[a-z]*$'")]
    [TestCase("""{"size": 3, "colour": "red\n"}""", "spec.colour in body should match")]
    [TestCase("""{"size": 3, "colour": "abcdefghi"}""", "spec.colour: Too long: may not be more than 8 bytes")]
    [TestCase("""{"size": 3, "address": "10.0.0.256"}""", "spec.address in body must be of type ipv4")]
    [TestCase("""{"size": 3, "tags": ["a", "a"]}""", "spec.tags[1]: Duplicate value: \"a\"")]
    [TestCase("""{"size": 3, "routes": {"a":"","b":"","c":""}}""", "spec.routes: Too many: 3: must have at most 2 items")]
    [TestCase("""{"size": 3, "port": true}""", "spec.port in body must be of type integer,string")]
    public async Task Refuses_what_the_schema_forbids(string spec, string message)
    {
        var (code, body) = await Send("POST", Widgets, Widget("a", spec));
        code.Should().Be(422);
        body["reason"].String().Should().Be("Invalid");
        body["message"].String().Should().Contain(message);
    }

    [TestCase("A")]
    [TestCase("a_b")]
    [TestCase("a..b")]
    [TestCase("-a")]
    public async Task Refuses_names_that_are_no_DNS_subdomain(string name) =>
        (await Send("POST", Widgets, Widget(name, """{"size": 3}"""))).Code.Should().Be(422);

    [Test]
    public async Task Prunes_unknown_fields_with_a_warning_or_refuses_them_when_strict()
    {
        using var request = Request("POST", Widgets, Widget("a", """{"size": 3, "sise": 4, "free": {"x": 1}}"""));
        using var response = await client.SendAsync(request);
        response.Headers.GetValues("Warning").Should().Equal("299 - \"unknown field \\\"spec.sise\\\"\"");
        (await Send("GET", Widgets + "/a")).Body["spec"]!.ToJsonString().Should().Be("""{"size":3,"free":{"x":1},"colour":"red"}""");
        var (code, body) = await Send("POST", Widgets + "?fieldValidation=Strict", Widget("b", """{"size": 3, "sise": 4}"""));
        code.Should().Be(400);
        body["message"].String().Should().Contain("strict decoding error: unknown field \"spec.sise\"");
    }

    [Test]
    public async Task Updates_by_resource_version_and_holds_transition_rules()
    {
        var (_, first) = await Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        first["spec"]!["size"] = 4;
        var (code, second) = await Send("PUT", Widgets + "/a", first.ToJsonString());
        code.Should().Be(200);
        second.At("metadata", "generation")!.GetValue<int>().Should().Be(2);
        first["spec"]!["size"] = 5;
        var stale = await Send("PUT", Widgets + "/a", first.ToJsonString());
        stale.Code.Should().Be(409);
        stale.Body["reason"].String().Should().Be("Conflict");
        var (_, same) = await Send("PUT", Widgets + "/a", second.ToJsonString());
        same.At("metadata", "resourceVersion").String().Should().Be(second.At("metadata", "resourceVersion").String(), "nothing changed");
        second["spec"]!["colour"] = "blue";
        (await Send("PUT", Widgets + "/a", second.ToJsonString())).Body["message"].String().Should().Contain("spec.colour: Invalid value: \"blue\": colour is immutable");
        ((JsonObject)second["metadata"]!).Remove("resourceVersion");
        (await Send("PUT", Widgets + "/a", second.ToJsonString())).Body["message"].String().Should().Contain("metadata.resourceVersion: Invalid value: 0x0: must be specified for an update");
        (await Send("POST", Widgets, Widget("a", """{"size": 3}"""))).Body["reason"].String().Should().Be("AlreadyExists");
    }

    [Test]
    public async Task Status_is_a_world_of_its_own()
    {
        var (_, made) = await Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        made["status"] = new JsonObject { ["ready"] = true };
        made["spec"]!["size"] = 9;
        var (_, after) = await Send("PUT", Widgets + "/a/status", made.ToJsonString());
        after.At("status", "ready")!.GetValue<bool>().Should().BeTrue();
        after.At("spec", "size")!.GetValue<int>().Should().Be(3);
        after.At("metadata", "generation")!.GetValue<int>().Should().Be(1);
    }

    [Test]
    public async Task Deletes_only_under_its_preconditions()
    {
        var (_, made) = await Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        (await Send("DELETE", Widgets + "/a", """{"preconditions": {"uid": "x"}}""")).Code.Should().Be(409);
        (await Send("DELETE", Widgets + "/a", $$$"""{"preconditions": {"uid": "{{{made.At("metadata", "uid").String()}}}"}}""")).Code.Should().Be(200);
    }

    [Test]
    public async Task Patches_by_merge_and_JSON_patch_and_refuses_the_others()
    {
        await Send("POST", Widgets, Widget("a", """{"size": 3, "routes": {"x": "1"}}"""));
        var (_, merged) = await Send("PATCH", Widgets + "/a", """{"spec": {"size": 4, "routes": null}}""", "application/merge-patch+json");
        merged["spec"]!.ToJsonString().Should().Be("""{"colour":"red","size":4}""");
        var (_, patched) = await Send("PATCH", Widgets + "/a", """[{"op":"test","path":"/spec/size","value":4},{"op":"replace","path":"/spec/size","value":5}]""", "application/json-patch+json");
        patched.At("spec", "size")!.GetValue<int>().Should().Be(5);
        (await Send("PATCH", Widgets + "/a", """[{"op":"test","path":"/spec/size","value":4}]""", "application/json-patch+json")).Code.Should().Be(422);
        (await Send("PATCH", Widgets + "/a", "{}", "application/strategic-merge-patch+json")).Code.Should().Be(415);
        (await Send("PATCH", Widgets + "/a", "{}", "application/apply-patch+yaml")).Code.Should().Be(415);
    }

    [Test]
    public async Task Pages_stay_on_one_snapshot_until_compaction()
    {
        foreach (var name in (string[])["a", "b", "c"])
            await Send("POST", Widgets, Widget(name, """{"size": 3}"""));
        var (_, page) = await Send("GET", Widgets + "?limit=2");
        page.At("metadata", "remainingItemCount")!.GetValue<int>().Should().Be(1);
        await Send("DELETE", Widgets + "/c");
        var next = Widgets + "?limit=2&continue=" + Uri.EscapeDataString(page.At("metadata", "continue").String()!);
        var (_, rest) = await Send("GET", next);
        rest["items"]!.AsArray().Select(i => i.At("metadata", "name").String()).Should().Equal("c");
        server.Store.Compact();
        (await Send("GET", next)).Code.Should().Be(410);
    }

    [TestCase("fieldSelector=spec.colour%3Dblue", "b")]
    [TestCase("fieldSelector=metadata.name!%3Db", "a")]
    [TestCase("labelSelector=app", "a b")]
    [TestCase("labelSelector=app%20in%20(x,z)", "a")]
    [TestCase("labelSelector=app%20notin%20(x)", "b")]
    [TestCase("labelSelector=app!%3Dx,app", "b")]
    [TestCase("labelSelector=!app", "")]
    public async Task Selects(string query, string names)
    {
        await Send("POST", Widgets, Widget("a", """{"size": 3}""", """{"app": "x"}"""));
        await Send("POST", Widgets, Widget("b", """{"size": 3, "colour": "blue"}""", """{"app": "y"}"""));
        var (_, list) = await Send("GET", $"{Widgets}?{query}");
        string.Join(' ', list["items"]!.AsArray().Select(i => i.At("metadata", "name").String())).Should().Be(names);
    }

    [TestCase("fieldSelector=spec.size%3D1")]
    [TestCase("labelSelector=a%20b")]
    [TestCase("labelSelector=a%3Db%3Dc")]
    [TestCase("limit=x")]
    public async Task Refuses_bad_list_options(string query) => (await Send("GET", $"{Widgets}?{query}")).Code.Should().Be(400);

    [Test]
    public async Task Watches_from_a_version_with_bookmarks_and_410()
    {
        var (_, list) = await Send("GET", Widgets);
        var from = list.At("metadata", "resourceVersion").String();
        await Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        await Send("DELETE", Widgets + "/a");
        var text = await client.GetStringAsync($"{Widgets}?watch=1&resourceVersion={from}&timeoutSeconds=1&allowWatchBookmarks=true");
        var events = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!["type"].String()).ToArray();
        events[..2].Should().Equal("ADDED", "DELETED");
        events[2..].Should().NotBeEmpty().And.OnlyContain(e => e == "BOOKMARK");
        server.Store.Compact();
        var gone = JsonNode.Parse(await client.GetStringAsync($"{Widgets}?watch=1&resourceVersion={from}&timeoutSeconds=1"))!;
        gone.At("type").String().Should().Be("ERROR");
        gone.At("object", "code")!.GetValue<int>().Should().Be(410);
    }

    [Test]
    public async Task Knows_users_by_token_and_by_certificate_and_no_others()
    {
        using (var stranger = Client("nobody"))
            (await stranger.GetAsync(Widgets)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        using var other = new Security.CertificateAuthority();
        using (var forged = Client(null, other.IssueClient("eve")))
            (await forged.GetAsync(Widgets)).StatusCode.Should().Be(HttpStatusCode.Unauthorized);
        using (var known = Client(null, server.CertificateAuthority.IssueClient("alice")))
            (await known.GetAsync(Widgets)).StatusCode.Should().Be(HttpStatusCode.OK);
        server.Requests.All[^1].User.Should().Be("alice");
    }

    [Test]
    public async Task A_dropped_connection_after_the_write_leaves_the_write()
    {
        var fault = server.Faults.Add(new Fault(Fault.On("create", "widgets")) { Count = 1, DropAfter = true });
        var send = () => Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        await send.Should().ThrowAsync<HttpRequestException>();
        fault.Hits.Should().Be(1);
        (await Send("GET", Widgets + "/a")).Code.Should().Be(200);
    }

    [Test]
    public async Task A_dropped_connection_before_the_write_leaves_nothing()
    {
        server.Faults.Add(new Fault(Fault.On("create", "widgets")) { Count = 1, DropBefore = true });
        var send = () => Send("POST", Widgets, Widget("a", """{"size": 3}"""));
        await send.Should().ThrowAsync<HttpRequestException>();
        (await Send("GET", Widgets + "/a")).Code.Should().Be(404);
    }

    [Test]
    public async Task Faults_answer_in_place_of_the_work_as_often_as_told()
    {
        server.Faults.Add(new Fault(Fault.On("get")) { Count = 1, Answer = Fault.TooManyRequests(TimeSpan.FromSeconds(3)) });
        using (var response = await client.GetAsync(Widgets + "/a"))
        {
            ((int)response.StatusCode).Should().Be(429);
            response.Headers.RetryAfter!.Delta.Should().Be(TimeSpan.FromSeconds(3));
        }
        (await Send("GET", Widgets + "/a")).Code.Should().Be(404);
        server.Requests.Count("get", "widgets").Should().Be(2);
    }

    [Test]
    public async Task Deleting_a_namespace_deletes_what_is_in_it_and_creation_needs_one()
    {
        await Send("POST", "/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns"}}""");
        var place = Widgets.Replace("default", "ns");
        (await Send("POST", place, Widget("a", """{"size": 3}"""))).Code.Should().Be(201);
        await Send("DELETE", "/api/v1/namespaces/ns");
        (await Send("GET", place + "/a")).Code.Should().Be(404);
        (await Send("POST", place, Widget("a", """{"size": 3}"""))).Body["message"].String().Should().Be("namespaces \"ns\" not found");
    }

    [Test]
    public async Task Refuses_loudly_what_it_lacks()
    {
        (await Send("POST", Widgets, """{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"a","finalizers":["x/y"]},"spec":{"size":1}}""")).Code.Should().Be(501);
        (await Send("GET", "/openapi/v2")).Code.Should().Be(404);
        (await Send("POST", Widgets, new string(' ', 3 * 1024 * 1024 + 1))).Code.Should().Be(413);
        (await Send("POST", Widgets, """{"apiVersion":"example.io/v1","apiVersion":"x"}""")).Code.Should().Be(400);
    }

    private static string Widget(string name, string spec, string labels = "{}") =>
        $$$"""{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"{{{name}}}","labels":{{{labels}}}},"spec":{{{spec}}}}""";

    private HttpClient Client(string? token, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) =>
        {
            using var chain = new System.Security.Cryptography.X509Certificates.X509Chain();
            chain.ChainPolicy.TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(server.CertificateAuthority.Certificate);
            chain.ChainPolicy.RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck;
            return chain.Build((System.Security.Cryptography.X509Certificates.X509Certificate2)presented!);
        };
        if (certificate is not null)
            handler.SslOptions.ClientCertificates = [certificate];
        var made = new HttpClient(handler)
        {
            BaseAddress = server.Url,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (token is not null)
            made.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return made;
    }

    private static HttpRequestMessage Request(string method, string path, string? body, string contentType = "application/json") => new(new HttpMethod(method), path)
    {
        Version = HttpVersion.Version20,
        Content = body is null ? null : new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(contentType)),
    };

    private async Task<(int Code, JsonObject Body)> Send(string method, string path, string? body = null, string contentType = "application/json")
    {
        using var request = Request(method, path, body, contentType);
        using var response = await client.SendAsync(request);
        return ((int)response.StatusCode, (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }
}
