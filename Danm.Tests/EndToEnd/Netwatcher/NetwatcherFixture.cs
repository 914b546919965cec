using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>A node whose netwatcher has the rights that manifests/ gives it on its node, and no other.</summary>
public abstract class NetwatcherFixture : HostFixture
{
    private protected override ApiServerOptions Options => new()
    {
        EnforcesRbac = true,
        Manifests = [.. ((string[])["manifests/netwatcher/rbac.yaml", "manifests/netwatcher/unicast/rbac.yaml", "manifests/policies"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
    };

    /// <summary>Netwatcher's kubeconfig.</summary>
    private protected string Kubeconfig { get; private set; } = "";

    [OneTimeSetUp]
    public void WriteKubeconfig() => Kubeconfig = Node.WriteFile("netwatcher", KubeconfigOf("node-1"));

    [TearDown]
    public void Rights_were_enough()
    {
        Node.Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().Should().BeEmpty();
        Node.Server.Requests.Clear();
    }

    /// <summary>The text of the kubeconfig of a netwatcher on a node.</summary>
    private protected string KubeconfigOf(string node)
    {
        var token = NodeToken.For(node, account: "netwatcher");
        Node.Server.Tokens[token] = "system:serviceaccount:kube-system:netwatcher";
        return Node.KubeconfigText(new KubeconfigOptions { Token = token });
    }

    private protected NetwatcherProcess Start(params string[] arguments) =>
        NetwatcherProcess.Start(Node.Enter, ["--kubeconfig", Kubeconfig, "--node-name", "node-1", .. arguments]);
}
