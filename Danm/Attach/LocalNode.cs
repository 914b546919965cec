using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>This machine as a node of the cluster, if it is one.</summary>
/// <param name="Config">Danm's CNI configuration.</param>
/// <param name="Name">Its name in Kubernetes, from where a CNI call takes it.</param>
internal sealed record LocalNode(NetConf Config, string? Name)
{
    private static readonly string[] Configurations = ["/etc/cni/net.d/00-danm.conflist", "/etc/cni/net.d/00-danm.conf"];

    // Where runtimes look for plugins when nothing else is said.
    private static readonly string[] PluginFolders = ["/opt/cni/bin", "/usr/libexec/cni", "/usr/lib/cni"];

    public static NetConf ReadConfiguration(string? path)
    {
        path ??= Array.Find(Configurations, File.Exists);
        return path is null ? new NetConf { Name = "danm", CniVersion = SpecVersion.V1_0_0 } : NetConfReader.ReadFile(path);
    }

    /// <param name="config">Danm's CNI configuration.</param>
    /// <param name="kubeconfig">The kubeconfig that the command uses.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<LocalNode> FindAsync(NetConf config, string kubeconfig, CancellationToken cancellation)
    {
        var name = config.NodeName;
        foreach (var path in (string?[])[config.Kubeconfig, kubeconfig])
        {
            try
            {
                name ??= path is not null && File.Exists(path) ? await NodeName.FromTokenAsync(KubeConfig.Load(path), cancellation).ConfigureAwait(false) : null;
            }
            catch (KubeConfigException)
            {
                // The command's own use of it says what is wrong; another one does not matter.
            }
        }

        return new LocalNode(config, name);
    }

    /// <summary>A call as a runtime would make it, for what releases sandboxes.</summary>
    public NodeCall ToCall(NodeState state) => new(
        new CniRequest
        {
            Command = CniCommand.Gc,
            Config = Config,
            Path = Environment.GetEnvironmentVariable("CNI_PATH")?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? PluginFolders,
        },
        state);
}
