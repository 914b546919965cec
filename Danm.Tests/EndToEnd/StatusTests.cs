using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd;

/// <summary>STATUS looks at this node alone: runtimes ask every few seconds, and error 50 makes the Node NotReady.</summary>
[TestFixture, Parallelizable]
public sealed class StatusTests : HostFixture
{
    private static readonly Case[] Cases =
    [
        new("a token", n => n.KubeconfigText()),
        new("a token of the node", n => n.KubeconfigText(new KubeconfigOptions { Token = NodeToken.For("node-1") })),
        new("a token file", n => n.KubeconfigText(new KubeconfigOptions { TokenFile = n.WriteFile("token", NodeToken.For("node-1")) })),
        new("a client certificate", n => n.KubeconfigText(new KubeconfigOptions { ClientCertificate = n.Server.CertificateAuthority.IssueClient("node-1") })),
        new("a server that is down", n => n.Server.Kubeconfig(new KubeconfigOptions { Port = 1 })),
        new("a server that answers nobody", n => n.Server.Kubeconfig(new KubeconfigOptions { Host = "192.0.2.1", Port = 6443 })),
        new("a token that the server does not know", n => n.KubeconfigText(new KubeconfigOptions { Token = "stranger" })),
        new("no kubeconfig in the configuration", (Func<HostNode, string?>?)null, "\"kubeconfig\"", "name the file"),
        new("no kubeconfig file", _ => null, "/missing\""),
        new("a kubeconfig that is none", _ => "[]", "kubeconfig", "not valid"),
        new("a token that has ended", n => n.KubeconfigText(new KubeconfigOptions { Token = NodeToken.For("node-1", DateTimeOffset.UtcNow.AddSeconds(-1)) }), "token", "ended at", "installer"),
        new("a token file whose token has ended", n => n.KubeconfigText(new KubeconfigOptions { TokenFile = n.WriteFile("token", NodeToken.For("node-1", DateTimeOffset.UtcNow.AddHours(-1))) }), "token", "ended at", "installer"),
        new("no token file", n => n.KubeconfigText(new KubeconfigOptions { TokenFile = n.PathOf("missing") }), "token file", "/missing\""),
        new("an empty token file", n => n.KubeconfigText(new KubeconfigOptions { TokenFile = n.WriteFile("token", "") }), "token file", "is empty"),
    ];

    [TestCaseSource(nameof(Rows))]
    public async Task Is_told_by_the_node_alone_with(Case row)
    {
        var config = Node.Config("1.1.0");
        config["cniDir"] = "/run";
        config["kubeconfig"] = row.Kubeconfig is null ? null : row.Kubeconfig(Node) is { } text ? Node.WriteFile("given", text) : Node.PathOf("missing");

        var outcome = await Node.CallAsync(new CniCall("STATUS") { IfName = null, Config = config });

        if (row.Says.Length > 0)
            outcome.Failed(50).Msg.Should().ContainAll(row.Says);
        else
            outcome.Succeeded().Stdout.Should().BeEmpty();
        Node.Server.Requests.All.Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task Came_with_version_1_1_0_of_the_specification() =>
        (await Node.CallAsync(new CniCall("STATUS") { IfName = null, Config = Node.Config("1.0.0") })).Failed(1).Msg.Should().Contain("1.0.0").And.Contain("STATUS");

    [TestCase("/run/nowhere")]
    [TestCase("/etc/passwd")]
    public async Task Needs_the_folder_of_the_networks_files(string cniDir)
    {
        var config = Node.Config("1.1.0");
        config["cniDir"] = cniDir;

        (await Node.CallAsync(new CniCall("STATUS") { IfName = null, Config = config })).Failed(50).Msg.Should().Contain($"cniDir '{cniDir}'").And.Contain("is not a folder");
    }

    [SetUp]
    public void ForgetRequests() => Node.Server.Requests.Clear();

    private static IEnumerable<TestCaseData> Rows() => Cases.Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    /// <param name="Name">What there is.</param>
    /// <param name="Says">What the error says; nothing where there is none.</param>
    public sealed record Case(string Name, params string[] Says)
    {
        internal Case(string name, Func<HostNode, string?>? kubeconfig, params string[] says)
            : this(name, says) => Kubeconfig = kubeconfig;

        internal Func<HostNode, string?>? Kubeconfig { get; }

        public override string ToString() => Name;
    }
}
