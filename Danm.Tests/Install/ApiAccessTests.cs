using Danm.Install;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Install;

/// <summary>When a token is good, and when it is asked for anew.</summary>
public sealed class ApiAccessTests
{
    private static readonly TimeSpan HalfOfLife = TimeSpan.FromHours(12), Fresh = TimeSpan.FromMinutes(5), Soon = TimeSpan.FromSeconds(20), Moment = TimeSpan.FromSeconds(5);

    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;
    private DirectoryInfo folder = null!;
    private FakeTimeProvider clock = null!;
    private ApiAccess access = null!;

    private string Token => Path.Combine(folder.FullName, ApiAccess.Folder, "token");

    private string Kubeconfig => Path.Combine(folder.FullName, ApiAccess.Folder, ApiAccess.KubeconfigName);

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/cni/plugin-rbac.yaml")] });
        server.Store.Create(Objects.Node("node-1"));
        api = TestClient.Connect(server.Kubeconfig());
        folder = Directory.CreateTempSubdirectory("danm-access-");
        clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        access = Make("node-1");
        await access.EnsureAsync(CancellationToken.None);
    }

    [TearDown]
    public async Task Stop()
    {
        api.Dispose();
        await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Test]
    public async Task Half_of_its_life_it_stays()
    {
        (await RenewsAfterAsync(HalfOfLife - TimeSpan.FromMinutes(1))).Should().BeFalse();
        (await RenewsAfterAsync(TimeSpan.FromMinutes(2))).Should().BeTrue();
    }

    [Test]
    public async Task What_is_left_of_that_half_is_told()
    {
        clock.Advance(TimeSpan.FromHours(2));

        (await access.EnsureAsync(CancellationToken.None)).Should().BeCloseTo(TimeSpan.FromHours(10), TimeSpan.FromMinutes(1));
    }

    [Test]
    public async Task A_file_from_the_future_has_no_age() => (await RenewsAfterAsync(Moment, () => File.SetLastWriteTimeUtc(Token, DateTime.UtcNow.AddHours(1)))).Should().BeTrue();

    [TestCase("readable by others")]
    [TestCase("a link")]
    [TestCase("no token")]
    [TestCase("gone")]
    public async Task What_is_no_secret_of_the_installers_is_replaced(string what) => (await RenewsAfterAsync(Moment, () =>
    {
        if (what == "readable by others")
            File.SetUnixFileMode(Token, NodeFiles.Public);
        else if (what == "no token")
            File.WriteAllText(Token, "x.y.z");
        else
            File.Move(Token, Token + "2");
        if (what == "a link")
            File.CreateSymbolicLink(Token, Token + "2");
    })).Should().BeTrue();

    [Test]
    public async Task A_Node_that_was_made_anew_gets_its_own_within_minutes()
    {
        server.Store.Delete("v1", "Node", null, "node-1");
        server.Store.Create(Objects.Node("node-1"));

        (await RenewsAfterAsync(Fresh + Moment)).Should().BeTrue();
    }

    [Test]
    public async Task A_token_that_the_server_refuses_is_replaced_within_minutes()
    {
        (await RenewsAfterAsync(Moment)).Should().BeFalse("the server takes it");
        server.Tokens.Remove(await File.ReadAllTextAsync(Token));

        (await RenewsAfterAsync(Fresh - Moment - Moment)).Should().BeFalse("not each look costs a request");
        (await RenewsAfterAsync(Moment + Moment)).Should().BeTrue();
    }

    [Test]
    public async Task That_of_another_node_is_none_of_this_ones()
    {
        server.Store.Create(Objects.Node("node-2"));
        access = Make("node-2");

        (await RenewsAfterAsync(Moment)).Should().BeTrue();
    }

    [Test]
    public async Task A_server_that_refuses_what_it_has_just_given_is_told_and_asked_once_in_minutes()
    {
        await using var other = await EmbeddedApiServer.StartAsync();
        access = Make("node-1", Reached(other));

        foreach (var (time, isNew) in new[] { (Moment, true), (Moment, false), (Soon, false), (Fresh - Soon, true), (Moment, false) })
        {
            var before = await File.ReadAllTextAsync(Token);
            clock.Advance(time);
            await access.Awaiting(a => a.EnsureAsync(CancellationToken.None)).Should().ThrowAsync<InstallException>().WithMessage($"{other.Url}*refuses a token*");
            (await File.ReadAllTextAsync(Token) != before).Should().Be(isNew);
        }

        (await File.ReadAllTextAsync(Kubeconfig)).Should().Contain(server.Url.ToString().TrimEnd('/'), "what worked stays");
        other.Tokens[await File.ReadAllTextAsync(Token)] = "system:serviceaccount:kube-system:danm";
        clock.Advance(Soon);
        await access.EnsureAsync(CancellationToken.None);
        (await File.ReadAllTextAsync(Kubeconfig)).Should().Contain(other.Url.ToString().TrimEnd('/'), "its own server knows the token now");
    }

    [TestCase("https://127.0.0.1:1", "cannot reach the API server by https://127.0.0.1:1 (--server), but the installer does")]
    [TestCase("{0}no-api-server", "404", Description = "what answers is something else")]
    [TestCase("10.0.0.1:6443", "--server")]
    public async Task A_server_that_Pods_could_not_reach_does_not_replace_the_one_before(string url, string named)
    {
        var before = await File.ReadAllTextAsync(Kubeconfig);
        access = Make("node-1", o => o with { Server = string.Format(System.Globalization.CultureInfo.InvariantCulture, url, server.Url) });

        await access.Awaiting(a => a.EnsureAsync(CancellationToken.None)).Should().ThrowAsync<InstallException>().WithMessage($"*{named}*");

        (await File.ReadAllTextAsync(Kubeconfig)).Should().Be(before);
    }

    [Test]
    public async Task While_the_API_server_is_away_no_address_of_it_is_blamed()
    {
        server.Faults.Add(new Fault(r => r.Path.StartsWith("/version")) { DropBefore = true });
        clock.Advance(Fresh);

        await access.Awaiting(a => a.EnsureAsync(CancellationToken.None)).Should().ThrowAsync<ApiException>();
    }

    [Test]
    public async Task What_cannot_be_written_is_not_asked_for_at_each_look()
    {
        int Asked() => server.Requests.All.Count(r => r.Path.Contains("/token"));
        File.Delete(Token);
        Directory.CreateDirectory(Token);
        var before = Asked();

        for (var i = 0; i < 3; i++)
        {
            await access.Awaiting(a => a.EnsureAsync(CancellationToken.None)).Should().ThrowAsync<IOException>();
            clock.Advance(Moment);
        }

        Directory.Delete(Token);
        await access.EnsureAsync(CancellationToken.None);
        Asked().Should().Be(before + 1);
    }

    private static Func<InstallOptions, InstallOptions> Reached(EmbeddedApiServer at) =>
        o => o with { Server = at.Url.ToString(), CertificateAuthority = () => System.Text.Encoding.ASCII.GetBytes(at.CertificateAuthority.Pem) };

    private ApiAccess Make(string node, Func<InstallOptions, InstallOptions>? change = null) => new(api, (change ?? (o => o))(Reached(server)(new InstallOptions
    {
        NodeName = node, BinDir = folder.FullName, ConfDir = folder.FullName, HostConfDir = folder.FullName, Server = "", CertificateAuthority = () => [],
    })), NullLogger.Instance, clock);

    private async Task<bool> RenewsAfterAsync(TimeSpan time, Action? change = null)
    {
        var before = await File.ReadAllTextAsync(Token);
        change?.Invoke();
        clock.Advance(time);
        await access.EnsureAsync(CancellationToken.None);
        new FileInfo(Token).LinkTarget.Should().BeNull();
        File.GetUnixFileMode(Token).Should().Be(NodeFiles.Secret);
        return await File.ReadAllTextAsync(Token) != before;
    }
}
