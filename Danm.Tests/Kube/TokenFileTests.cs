using Danm.Api;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.Kube;

public sealed class TokenFileTests
{
    private string file = "";

    [SetUp]
    public void SetUp() => file = Path.GetTempFileName();

    [TearDown]
    public void TearDown() => File.Delete(file);

    [Test]
    public async Task A_renewed_token_is_taken_within_a_minute()
    {
        var clock = new Clock();
        var tokens = new TokenFile(file, clock);
        await File.WriteAllTextAsync(file, "  first\n");
        (await HeaderAsync(tokens)).Should().Be("Bearer first");

        await File.WriteAllTextAsync(file, "second");
        clock.Now += TimeSpan.FromSeconds(59);
        (await HeaderAsync(tokens)).Should().Be("Bearer first", "one call reads it once");
        clock.Now += TimeSpan.FromSeconds(2);
        (await HeaderAsync(tokens)).Should().Be("Bearer second");
        (await HeaderAsync(new TokenFile(file))).Should().Be("Bearer second");
    }

    [Test]
    public async Task A_file_that_is_gone_when_the_token_is_due_is_an_error_and_back_is_none()
    {
        var clock = new Clock();
        var tokens = new TokenFile(file, clock);
        await File.WriteAllTextAsync(file, "first");
        await HeaderAsync(tokens);
        File.Delete(file);
        clock.Now += TimeSpan.FromMinutes(2);

        (await tokens.Invoking(HeaderAsync).Should().ThrowAsync<KubeConfigException>()).WithMessage($"*{file}*");

        await File.WriteAllTextAsync(file, "second");
        (await HeaderAsync(tokens)).Should().Be("Bearer second");
    }

    [TestCase("")]
    [TestCase(" \n\t")]
    public async Task An_empty_file_is_no_token(string content)
    {
        await File.WriteAllTextAsync(file, content);

        (await new TokenFile(file).Invoking(HeaderAsync).Should().ThrowAsync<KubeConfigException>()).WithMessage("*is empty*");
    }

    [TestCase("a\nb")]
    [TestCase("a\r\nX-Injected: b")]
    public async Task A_token_never_becomes_another_header(string content)
    {
        await File.WriteAllTextAsync(file, content);
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");

        var request = () => GetAsync(server.Kubeconfig.Replace("\"token\":\"secret\"", $"\"tokenFile\":\"{file}\"", StringComparison.Ordinal));

        await request.Should().ThrowAsync<Exception>();
        server.Heads.Should().NotContain(head => head.Contains("X-Injected:") || head.Contains("\nb"));
    }

    [Test]
    public async Task The_server_sees_the_file_and_not_the_token_beside_it()
    {
        await using var server = await EmbeddedApiServer.StartAsync();
        server.Tokens["from-file"] = "file-user";
        await File.WriteAllTextAsync(file, "from-file\n");

        await GetAsync(server.Kubeconfig(new KubeconfigOptions { Token = "wrong", TokenFile = file }));

        server.Requests.All.Should().ContainSingle().Which.User.Should().Be("file-user");
    }

    [Test]
    public async Task A_missing_file_is_an_error_that_names_it_and_asks_nobody()
    {
        await using var server = await EmbeddedApiServer.StartAsync();
        var request = () => GetAsync(server.Kubeconfig(new KubeconfigOptions { TokenFile = file + ".missing" }));

        (await request.Should().ThrowAsync<ApiException>()).WithMessage($"*{file}.missing*").Which.InnerException.Should().BeOfType<KubeConfigException>();
        server.Requests.All.Should().BeEmpty();
    }

    private static async Task<string> HeaderAsync(TokenFile tokens) => (await tokens.GetAuthenticationHeaderAsync(CancellationToken.None)).ToString();

    private static async Task GetAsync(string kubeconfig)
    {
        using var client = TestClient.Connect(kubeconfig);
        await client.TryGetAsync(ResourcePath.Core("pods", "default", "a"), ApiJson.Default.Pod, CancellationToken.None);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
