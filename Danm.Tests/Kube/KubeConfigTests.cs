using Danm.Kube;
using Danm.Tests.ApiServer.Security;
using k8s;

namespace Danm.Tests.Kube;

public sealed class KubeConfigTests
{
    private static readonly CertificateAuthority Authority = new();
    private static readonly string AuthorityData = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(Authority.Pem));

    private string folder = "";

    [OneTimeTearDown]
    public void DisposeAuthority() => Authority.Dispose();

    [SetUp]
    public void SetUp()
    {
        folder = Directory.CreateTempSubdirectory("danm-kubeconfig-").FullName;
        File.WriteAllText(Path.Combine(folder, "ca.crt"), Authority.Pem);
        File.WriteAllText(Path.Combine(folder, "token"), "from-file");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(folder, recursive: true);

    // Cluster and user as YAML and as JSON, and what comes of them.
    private static IEnumerable<TestCaseData> Pairs()
    {
        yield return Pair("token",
            "server: https://10.0.0.1:6443", "token: abc",
            """{"server":"https://10.0.0.1:6443"}""", """{"token":"abc"}""",
            new Expected("https://10.0.0.1:6443") { Token = "abc" });
        yield return Pair("text that looks like a number",
            "server: 'https://10.0.0.1:6443/'", "token: 123456",
            """{"server":"https://10.0.0.1:6443/"}""", """{"token":"123456"}""",
            new Expected("https://10.0.0.1:6443") { Token = "123456" });
        yield return Pair("quoted words that mean something bare",
            "server: \"https://[fd00::1]:6443\"", "token: \"true\"",
            """{"server":"https://[fd00::1]:6443"}""", """{"token":"true"}""",
            new Expected("https://[fd00::1]:6443") { Token = "true" });
        yield return Pair("token file beside the kubeconfig wins over the token",
            "{server: https://api.example:6443}", "{tokenFile: token, token: abc}",
            """{"server":"https://api.example:6443"}""", """{"tokenFile":"token","token":"abc"}""",
            new Expected("https://api.example:6443") { Token = "from-file" });
        yield return Pair("nulls and empty texts are absent",
            "server: https://a:1\n  certificate-authority:\n  certificate-authority-data: ''\n  tls-server-name: ~", "token: abc\n  tokenFile: ''\n  username: null",
            """{"server":"https://a:1","certificate-authority":null,"certificate-authority-data":"","tls-server-name":null}""", """{"token":"abc","tokenFile":"","username":null}""",
            new Expected("https://a:1") { Token = "abc" });
        yield return Pair("user and password",
            "server: http://127.0.0.1:8080\n  insecure-skip-tls-verify: true", "username: u\n  password: 'p: #w'",
            """{"server":"http://127.0.0.1:8080","insecure-skip-tls-verify":true}""", """{"username":"u","password":"p: #w"}""",
            new Expected("http://127.0.0.1:8080") { Skip = true, User = "u:p: #w" });
        yield return Pair("authority as data, another name in the certificate",
            $"server: https://a:1\n  tls-server-name: kubernetes.default.svc\n  certificate-authority-data: {AuthorityData}", "token: abc",
            $$"""{"server":"https://a:1","tls-server-name":"kubernetes.default.svc","certificate-authority-data":"{{AuthorityData}}"}""", """{"token":"abc"}""",
            new Expected("https://a:1") { Token = "abc", ServerName = "kubernetes.default.svc", Authorities = 1 });
        yield return Pair("authority as a file beside the kubeconfig",
            "server: https://a:1 # the API\n  certificate-authority: ca.crt", "token: abc",
            """{"server":"https://a:1","certificate-authority":"ca.crt"}""", """{"token":"abc"}""",
            new Expected("https://a:1") { Token = "abc", Authorities = 1 });
        yield return Pair("client certificate as data",
            "server: https://a:1", "client-certificate-data: Yw==\n  client-key-data: aw==",
            """{"server":"https://a:1"}""", """{"client-certificate-data":"Yw==","client-key-data":"aw=="}""",
            new Expected("https://a:1") { Certificate = "Yw== aw==" });
        yield return Pair("client certificate as files",
            "server: https://a:1", "client-certificate: c.crt\n  client-key: /k.key",
            """{"server":"https://a:1"}""", """{"client-certificate":"c.crt","client-key":"/k.key"}""",
            new Expected("https://a:1") { Certificate = "FOLDER/c.crt /k.key" });
        yield return Pair("members of others are passed over",
            "server: https://a:1\n  proxy-url: http://p:3128\n  extensions: [{name: minikube, extension: {version: v1}}]", "token: abc\n  as: someone",
            """{"server":"https://a:1","proxy-url":"http://p:3128","extensions":[{"name":"minikube","extension":{"version":"v1"}}]}""", """{"token":"abc","as":"someone"}""",
            new Expected("https://a:1") { Token = "abc" });
    }

    [TestCaseSource(nameof(Pairs))]
    public async Task YAML_and_JSON_of_one_kubeconfig_say_the_same(string yaml, string json, Expected expected)
    {
        expected = expected with { Certificate = expected.Certificate?.Replace("FOLDER", folder) };

        (await ReadAsync(yaml)).Should().Be(expected);
        (await ReadAsync(json)).Should().Be(expected);
        (await ReadAsync("\n\t " + json)).Should().Be(expected);
        (await ReadAsync("---\n" + yaml + "---\nkind: Other\n")).Should().Be(expected);
    }

    [Test]
    public async Task The_current_context_counts()
    {
        const string Three = """
            current-context: b
            contexts:
            - {name: a, context: {cluster: a, user: a, namespace: na}}
            - {name: b, context: {cluster: b, user: b, namespace: nb}}
            clusters:
            - {name: a, cluster: {server: "https://a:1"}}
            - {name: b, cluster: {server: "https://b:1"}}
            users:
            - {name: a, user: {token: ta}}
            - {name: b, user: {token: tb}}
            """;

        (await ReadAsync(Three)).Should().Be(new Expected("https://b:1") { Token = "tb" });
        Load(Three).Namespace.Should().Be("nb");
        (await ReadAsync(Three.Replace("current-context: b", "current-context: a", StringComparison.Ordinal))).Should().Be(new Expected("https://a:1") { Token = "ta" });
    }

    [TestCase("", "*has no context \"\"*")]
    [TestCase("{}", "*has no context \"\"*")]
    [TestCase("{", "*is not valid*")]
    [TestCase("{\"current-context\": 5}", "*is not valid*")]
    [TestCase("[a]", "*is not valid*")]
    [TestCase("just text", "*is not valid*")]
    [TestCase("a: b: c", "*is not valid*")]
    [TestCase("current-context: x", "*has no context \"x\"*")]
    [TestCase("""{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}]}""", "*has no cluster \"c\"*")]
    [TestCase("""{"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],"clusters":[{"name":"c","cluster":{"server":"https://a"}}]}""", "*has no user \"u\"*")]
    [TestCase("CLUSTER {} USER {\"token\":\"t\"}", "*server \"\" is no http(s) address*")]
    [TestCase("CLUSTER {\"server\":\"10.0.0.1:6443\"} USER {\"token\":\"t\"}", "*server \"10.0.0.1:6443\" is no http(s) address*")]
    [TestCase("CLUSTER {\"server\":\"file:///etc/passwd\"} USER {\"token\":\"t\"}", "*is no http(s) address*")]
    [TestCase("CLUSTER {\"server\":\"https://a\",\"certificate-authority-data\":\"***\"} USER {\"token\":\"t\"}", "*cannot read the certificate authority*")]
    [TestCase("CLUSTER {\"server\":\"https://a\",\"certificate-authority-data\":\"YWJj\"} USER {\"token\":\"t\"}", "*holds no PEM certificate*")]
    [TestCase("CLUSTER {\"server\":\"https://a\",\"certificate-authority\":\"missing.crt\"} USER {\"token\":\"t\"}", "*missing.crt*")]
    [TestCase("CLUSTER {\"server\":\"https://a\"} USER {}", "*no token, tokenFile or client certificate*")]
    [TestCase("CLUSTER {\"server\":\"https://a\"} USER {\"exec\":{\"command\":\"aws\"}}", "*no token, tokenFile or client certificate*")]
    [TestCase("CLUSTER {\"server\":\"https://a\"} USER {\"client-certificate-data\":\"Yw==\"}", "*no token, tokenFile or client certificate*")]
    public void What_cannot_be_used_says_why_and_which_file(string content, string message)
    {
        if (content.StartsWith("CLUSTER ", StringComparison.Ordinal))
        {
            var parts = content["CLUSTER ".Length..].Split(" USER ");
            content = Json(parts[0], parts[1]);
        }

        this.Invoking(t => t.Load(content)).Should().Throw<KubeConfigException>().WithMessage(message).WithMessage($"*{folder}*");
    }

    [Test]
    public void Depth_and_size_are_bounded()
    {
        var deep = new string('[', 10_000) + new string(']', 10_000);
        this.Invoking(t => t.Load($"{{\"x\":{deep}}}")).Should().Throw<KubeConfigException>();
        this.Invoking(t => t.Load("x: " + new string('[', 100) + new string(']', 100))).Should().Throw<KubeConfigException>();
        this.Invoking(t => t.Load(new string(' ', (1 << 20) + 1))).Should().Throw<KubeConfigException>().WithMessage("*larger than 1048576 bytes*");
        FluentActions.Invoking(() => KubeConfig.Load(folder)).Should().Throw<KubeConfigException>().WithMessage("*cannot read*");
        FluentActions.Invoking(() => KubeConfig.Load(Path.Combine(folder, "missing"))).Should().Throw<KubeConfigException>().WithMessage("*cannot read*missing*");
    }

    private static TestCaseData Pair(string name, string yamlCluster, string yamlUser, string jsonCluster, string jsonUser, Expected expected)
    {
        static string Block(string text) => text.StartsWith('{') ? $" {text}" : $"\n    {text.Replace("\n  ", "\n    ", StringComparison.Ordinal)}";
        var yaml = $"""
            # written by hand
            apiVersion: v1
            kind: Config
            clusters:
            - name: c
              cluster:{Block(yamlCluster)}
            users:
            - name: u
              user:{Block(yamlUser)}
            contexts:
            - name: x
              context:
                cluster: c
                user: u
            current-context: x

            """;
        return new TestCaseData(yaml, Json(jsonCluster, jsonUser), expected).SetArgDisplayNames(name);
    }

    private static string Json(string cluster, string user) =>
        $$$"""{"apiVersion":"v1","clusters":[{"name":"c","cluster":{{{cluster}}}}],"users":[{"name":"u","user":{{{user}}}}],"contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],"current-context":"x"}""";

    private KubernetesClientConfiguration Load(string content)
    {
        var file = Path.Combine(folder, "kubeconfig");
        File.WriteAllText(file, content);
        return KubeConfig.Load(file);
    }

    private async Task<Expected> ReadAsync(string content)
    {
        var read = Load(content);
        return new Expected(read.Host)
        {
            Skip = read.SkipTlsVerify,
            ServerName = read.TlsServerName,
            Token = read.TokenProvider is { } provider ? (await provider.GetAuthenticationHeaderAsync(CancellationToken.None)).Parameter : read.AccessToken,
            User = read.Username is null ? null : $"{read.Username}:{read.Password}",
            Certificate = read switch
            {
                { ClientCertificateData: { } data } => $"{data} {read.ClientCertificateKeyData}",
                { ClientCertificateFilePath: { } path } => $"{path} {read.ClientKeyFilePath}",
                _ => null,
            },
            Authorities = read.SslCaCerts?.Count(c => c.Thumbprint == Authority.Certificate.Thumbprint) ?? 0,
        };
    }

    /// <summary>What matters of a client configuration.</summary>
    public sealed record Expected(string Host)
    {
        public bool Skip { get; init; }

        public string? ServerName { get; init; }

        public string? Token { get; init; }

        public string? User { get; init; }

        public string? Certificate { get; init; }

        public int Authorities { get; init; }
    }
}
