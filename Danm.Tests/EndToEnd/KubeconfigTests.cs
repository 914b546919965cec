using System.Security.Cryptography.X509Certificates;
using System.Text;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd;

/// <summary>Every way by which a kubeconfig tells server, authority and user, and every way to get it wrong.</summary>
/// <remarks>The network is on the loopback interface, which can have no children: an ADD whose requests were all served ends there (109).</remarks>
[TestFixture, Parallelizable]
public sealed class KubeconfigTests : HostFixture
{
    private const int Served = 109;

    // 10 levels of 10 aliases each: 10^10 nodes of 1 KB of text.
    private static readonly string AliasBomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
        $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n")) + "contexts: *a9\n";

    private static readonly Case[] Good =
    [
        new("JSON with a token", n => n.KubeconfigText()),
        new("JSON after a byte order mark", n => "\ufeff" + n.KubeconfigText()),
        new("YAML with a token", n => Yaml(n, AuthorityData(n), Token(n))),
        new("YAML after a byte order mark and comments", n => "\ufeff# written by hand\n---\n" + Yaml(n, AuthorityData(n), Token(n)) + "---\nsecond: document\n"),
        new("token of a file by its name", n => Yaml(n, AuthorityData(n), $"tokenFile: {Path.GetFileName(n.WriteFile("token", n.Server.AdminToken + "\n"))}")),
        new("token of a file by its path", n => Yaml(n, AuthorityData(n), $"tokenFile: {n.WriteFile("token", n.Server.AdminToken)}")),
        new("token of a file before a token", n => Yaml(n, AuthorityData(n), "token: stranger", $"tokenFile: {n.WriteFile("token", n.Server.AdminToken)}")),
        new("client certificate", n => n.KubeconfigText(new KubeconfigOptions { ClientCertificate = n.Server.CertificateAuthority.IssueClient("node-1") })) { User = "node-1" },
        new("client certificate of files by their names", n => Yaml(n, AuthorityData(n), ClientFiles(n, Path.GetFileName))) { User = "node-2" },
        new("client certificate of files by their paths", n => Yaml(n, AuthorityData(n), ClientFiles(n, f => f))) { User = "node-2" },
        new("token before a client certificate", n => Yaml(n, AuthorityData(n), [Token(n), .. ClientFiles(n, f => f)])),
        new("authority of a file by its name", n => Yaml(n, $"certificate-authority: {Path.GetFileName(Authority(n))}", Token(n))),
        new("authority of a file by its path", n => Yaml(n, $"certificate-authority: {Authority(n)}", Token(n))),
        new("authority among others", n => Yaml(n, $"certificate-authority: {n.WriteFile("ca.crt", new CertificateAuthority("other").Pem + "\n" + n.Server.CertificateAuthority.Pem)}", Token(n))),
        new("server by a name of its certificate", n => Yaml(n, AuthorityData(n), Token(n)).Replace("127.0.0.1", "localhost")),
        new("server under another name of its certificate", n => Yaml(n, AuthorityData(n) + "\n    tls-server-name: kubernetes.default.svc", Token(n))),
        new("no check of the certificate", n => Yaml(n, "insecure-skip-tls-verify: true", Token(n))),
        new("null among the entries", n => Yaml(n, AuthorityData(n), Token(n)).Replace("contexts:\n", "contexts:\n- null\n").Replace("clusters:\n", "clusters:\n- null\n").Replace("users:\n", "users:\n- null\n")),
    ];

    private static readonly Case[] Bad =
    [
        new("no authority, and the host trusts none of the server's", n => Yaml(n, "tls-server-name: localhost", Token(n))) { Code = 107, Says = ["secure connection", "certificate"] },
        new("server under a name that its certificate has not", n => Yaml(n, AuthorityData(n) + "\n    tls-server-name: elsewhere.example", Token(n))) { Code = 107, Says = ["secure connection", "certificate"] },
        new("server that speaks no TLS", n => Yaml(n, AuthorityData(n), Token(n)).Replace("https://", "http://")) { Code = 11, Says = ["API server", "is it the server that the kubeconfig means"] },
        new("token that nobody knows", n => Yaml(n, AuthorityData(n), "token: stranger")) { Code = 106, Says = ["401"] },
        new("client certificate of another authority", n => n.KubeconfigText(new KubeconfigOptions { ClientCertificate = new CertificateAuthority("other").IssueClient("node-1") })) { Code = 106, Says = ["401"] },
        new("alias bomb", _ => AliasBomb) { Says = ["line 2", "alias *a0", "write out"] },
        new("nothing", _ => "") { Says = ["context"] },
        new("null", _ => "null") { Says = ["empty"] },
        new("a list", _ => "- a\n- b\n") { Says = ["not valid"] },
        new("mapping with a list as a key", _ => "? [a]\n: b\n") { Says = ["not valid"] },
        new("clusters that are a text", n => Yaml(n, AuthorityData(n), Token(n)).Replace("clusters:\n", "clusters: none\nmore:\n")) { Says = ["not valid", "clusters"] },
        new("entries that are null", _ => """{"current-context":"x","contexts":[null],"clusters":[null],"users":[null]}""") { Says = ["no context \"x\""] },
        new("entries without what they name", _ => """{"current-context":"x","contexts":[{"name":"x"}],"clusters":[{"name":"x"}],"users":[{"name":"x"}]}""") { Says = ["no context \"x\""] },
        new("no current-context", n => Yaml(n, AuthorityData(n), Token(n)).Replace("current-context: x\n", "")) { Says = ["current-context"] },
        new("current-context that is not there", n => Yaml(n, AuthorityData(n), Token(n)).Replace("current-context: x", "current-context: y")) { Says = ["no context \"y\"", "current-context"] },
        new("cluster that is not there", n => Yaml(n, AuthorityData(n), Token(n)).Replace("cluster: x", "cluster: y")) { Says = ["no cluster \"y\""] },
        new("user that is not there", n => Yaml(n, AuthorityData(n), Token(n)).Replace("user: x", "user: y")) { Says = ["no user \"y\""] },
        new("user without credentials", n => Yaml(n, AuthorityData(n), "token: ''")) { Says = ["no token, tokenFile or client certificate"] },
        new("user who is to run a program", n => Yaml(n, AuthorityData(n), "exec: {command: /bin/sh}")) { Says = ["exec"] },
        new("server that is no address", n => Yaml(n, AuthorityData(n), Token(n)).Replace("https://", "ftp://")) { Says = ["server \"ftp://"] },
        new("token file that is missing", n => Yaml(n, AuthorityData(n), "tokenFile: missing")) { Says = ["token file", "/missing\""] },
        new("token file that is empty", n => Yaml(n, AuthorityData(n), $"tokenFile: {n.WriteFile("empty", " \n")}")) { Says = ["token file", "/empty\" is empty"] },
        new("token of two lines", n => Yaml(n, AuthorityData(n), $"tokenFile: {n.WriteFile("lines", "a\nb")}")) { Says = ["token file", "/lines\""] },
        new("authority that is no Base64", n => Yaml(n, "certificate-authority-data: '%%'", Token(n))) { Says = ["certificate authority"] },
        new("authority that is no certificate", n => Yaml(n, $"certificate-authority-data: {Base64("none")}", Token(n))) { Says = ["certificate authority"] },
        new("authority file that is missing", n => Yaml(n, "certificate-authority: missing", Token(n))) { Says = ["/missing\""] },
        new("client certificate that is none", n => Yaml(n, AuthorityData(n), $"client-certificate-data: {Base64("none")}", $"client-key-data: {Base64("none")}")) { Says = ["client certificate"] },
        new("client key of another certificate", n => Yaml(n, AuthorityData(n), ClientFiles(n, f => f)[0], OtherKey(n))) { Says = ["client certificate"] },
        new("client certificate file that is missing", n => Yaml(n, AuthorityData(n), "client-certificate: missing", "client-key: missing")) { Says = ["client certificate", "/missing"] },
    ];

    private Sandbox pod = null!;

    [SetUp]
    public async Task MakePod()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "net", """{"NetworkID":"net","Options":{"host_device":"lo","cidr":"10.1.0.0/24"}}"""));
        pod = await Node.StartPodAsync(Objects.Pod("pod", """[{"network":"net","ip":"dynamic"}]"""));
    }

    [TestCaseSource(nameof(GoodRows))]
    public async Task Serves(Case row)
    {
        (await AddAsync(row.Text(Node))).Failed(Served);

        Node.Server.Requests.All.Select(r => r.User).Distinct().Should().Equal(row.User);
        Node.Objects().Should().BeEmpty();
    }

    [TestCaseSource(nameof(BadRows))]
    public async Task Is_refused(Case row)
    {
        var outcome = (await AddAsync(row.Text(Node))).Failed(row.Code);

        $"{outcome.Msg}; {outcome.Json["details"]}".Should().ContainAll(row.Says);
        (await Node.StateAsync()).Should().BeEmpty();
        Node.Objects().Should().BeEmpty();
        if (row.Code != 106)
            Node.Server.Requests.All.Should().BeEmpty();
    }

    [Test]
    public async Task A_token_file_is_read_anew_by_each_call()
    {
        Node.WriteFile("token", "ended");
        var text = Yaml(Node, AuthorityData(Node), "tokenFile: token");
        (await AddAsync(text)).Failed(106);
        Node.WriteFile("token", Node.Server.AdminToken);
        (await AddAsync(text)).Failed(Served);
    }

    [Test]
    public async Task Without_an_authority_of_its_own_it_trusts_what_the_host_trusts()
    {
        var text = Yaml(Node, "tls-server-name: localhost", Token(Node));
        await Node.ShellAsync($"mount -t tmpfs tmpfs /etc/ssl/certs && cp {Authority(Node)} /etc/ssl/certs/cluster.pem");
        try
        {
            (await AddAsync(text)).Failed(Served);
        }
        finally
        {
            await Node.ShellAsync("umount /etc/ssl/certs");
        }
    }

    [Test]
    public async Task A_server_below_a_path_is_asked_there()
    {
        (await AddAsync(Yaml(Node, AuthorityData(Node), Token(Node)).Replace($":{Node.Port}", $":{Node.Port}/clusters/one/"))).Failed(11);
        Node.Server.Requests.All.Select(r => r.Path).Should().NotBeEmpty().And.OnlyContain(p => p.StartsWith("/clusters/one/api"));
    }

    private Task<CniOutcome> AddAsync(string kubeconfig)
    {
        Node.Server.Requests.Clear();
        var call = pod.Call("ADD");
        call.Config["kubeconfig"] = Node.WriteFile("given", kubeconfig);
        return Node.CallAsync(call, TimeSpan.FromSeconds(15));
    }

    private static IEnumerable<TestCaseData> GoodRows() => Good.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    private static IEnumerable<TestCaseData> BadRows() => Bad.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    private static string Yaml(HostNode node, string authority, params string[] user) => $"""
        apiVersion: v1
        kind: Config
        current-context: x
        contexts:
        - name: other
          context: {"{cluster: other, user: other}"}
        - name: x
          context:
            cluster: x
            user: x
        clusters:
        - name: x
          cluster:
            server: {Server(node)}
            {authority}
        users:
        - name: x
          user:
            {string.Join("\n    ", user)}

        """;

    private static string Server(HostNode node) => $"https://127.0.0.1:{node.Port}";

    private static string Token(HostNode node) => $"token: {node.Server.AdminToken}";

    private static string AuthorityData(HostNode node) => $"certificate-authority-data: {Base64(node.Server.CertificateAuthority.Pem)}";

    private static string Authority(HostNode node) => node.WriteFile("ca.crt", node.Server.CertificateAuthority.Pem);

    private static string[] ClientFiles(HostNode node, Func<string, string> name)
    {
        using var client = node.Server.CertificateAuthority.IssueClient("node-2");
        var (certificate, key) = (node.WriteFile("client.crt", client.ExportCertificatePem()), WriteKey(node, "client.key", client));
        return [$"client-certificate: {name(certificate)}", $"client-key: {name(key)}"];
    }

    private static string OtherKey(HostNode node)
    {
        using var other = node.Server.CertificateAuthority.IssueClient("other");
        return $"client-key: {WriteKey(node, "other.key", other)}";
    }

    private static string WriteKey(HostNode node, string file, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return node.WriteFile(file, key.ExportPkcs8PrivateKeyPem());
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <param name="Name">What the kubeconfig has.</param>
    public sealed record Case(string Name)
    {
        internal Case(string name, Func<HostNode, string> text)
            : this(name) => Text = text;

        internal Func<HostNode, string> Text { get; } = _ => "";

        /// <summary>Whom the server sees.</summary>
        public string User { get; init; } = "admin";

        public int Code { get; init; } = 7;

        public string[] Says { get; init; } = [];

        public override string ToString() => Name;
    }
}
