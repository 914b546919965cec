using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>A node whose netwatcher has the rights that manifests/ gives it, and no other.</summary>
public abstract class NetwatcherFixture : HostFixture
{
    private const string Token = "token-of-netwatcher";

    private protected override ApiServerOptions Options => new()
    {
        EnforcesRbac = true,
        Manifests = [.. ((string[])["manifests/netwatcher/rbac.yaml", "manifests/netwatcher/unicast/rbac.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
        Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:netwatcher" },
    };

    /// <summary>Netwatcher's kubeconfig.</summary>
    private protected string Kubeconfig { get; private set; } = "";

    [OneTimeSetUp]
    public void WriteKubeconfig() => Kubeconfig = Node.WriteFile("netwatcher", Node.KubeconfigText(new KubeconfigOptions { Token = Token }));

    [TearDown]
    public void Rights_were_enough()
    {
        Node.Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().Should().BeEmpty();
        Node.Server.Requests.Clear();
    }

    private protected NetwatcherProcess Start(params string[] arguments) =>
        NetwatcherProcess.Start(Node.Enter, ["--kubeconfig", Kubeconfig, "--node-name", "node-1", .. arguments]);
}
