using Danm.Cni;
using Danm.Install;
using Danm.Kube;
using Danm.State;

namespace Danm.Doctor.Node;

/// <summary>This machine as a node: what Danm's calls find on it.</summary>
internal sealed class NodeView : IDisposable
{
    private readonly NodeFolders folders;
    private readonly Lazy<NetConf> config;
    private readonly Lazy<ApiClient> api;

    /// <param name="folders">Where things are.</param>
    /// <param name="cluster">The cluster, by the user's kubeconfig.</param>
    /// <param name="patience">How long one request may take.</param>
    public NodeView(NodeFolders folders, ClusterView cluster, TimeSpan patience)
    {
        (this.folders, Cluster) = (folders, cluster);
        config = new(() => NetConfReader.ReadFile(ConfigurationPath));
        api = new(() => new ApiClient(KubeConfig.Load(KubeconfigPath), patience));
    }

    public NodeFolders Folders => folders;

    public ClusterView Cluster { get; }

    public NodeState State => new(folders.State);

    /// <summary>Danm's configuration: the installer's, else the original's.</summary>
    public string ConfigurationPath => FindConfiguration(folders.Conf) ?? Path.Combine(folders.Conf, DanmConfiguration.FileName);

    /// <summary>What it says.</summary>
    /// <exception cref="CheckSkippedException">There is none, or it cannot be read.</exception>
    public NetConf Config
    {
        get
        {
            try
            {
                return config.Value;
            }
            catch (CniException)
            {
                throw new CheckSkippedException("Danm's CNI configuration cannot be read: see node-cni-conf");
            }
        }
    }

    /// <summary>The plugin's own kubeconfig, also where the configuration names it as the host sees it and this is a container.</summary>
    /// <exception cref="CheckSkippedException">As <see cref="Config"/>.</exception>
    public string KubeconfigPath => Config.Kubeconfig switch
    {
        { } path when File.Exists(path) => path,
        var path => Path.Combine(folders.Conf, ApiAccess.Folder, ApiAccess.KubeconfigName) is var here && File.Exists(here) ? here : path ?? here,
    };

    /// <summary>A client with the plugin's own credentials.</summary>
    /// <exception cref="CheckSkippedException">They cannot be used.</exception>
    public ApiClient Api
    {
        get
        {
            try
            {
                return api.Value;
            }
            catch (KubeConfigException)
            {
                throw new CheckSkippedException("the node's kubeconfig cannot be used: see node-kubeconfig");
            }
        }
    }

    /// <summary>The file of Danm's configuration in a folder; null if there is none.</summary>
    public static string? FindConfiguration(string folder) =>
        ((string[])[DanmConfiguration.FileName, DanmConfiguration.OriginalFileName]).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Whether Danm is on this machine, or something of it: its configuration may be what is missing.</summary>
    public static bool IsNode(NodeFolders folders) =>
        FindConfiguration(folders.Conf) is not null || Directory.Exists(Path.Combine(folders.Conf, ApiAccess.Folder)) || File.Exists(Path.Combine(folders.Bin, PluginFiles.Names[0]));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (api.IsValueCreated)
            api.Value.Dispose();
    }
}
