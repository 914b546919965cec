using System.Runtime.CompilerServices;
using Danm.Install;
using Danm.Kube;
using Danm.State;

namespace Danm.Doctor.Node;

/// <summary>Whether the plugin reaches the API server with what is on this node, and nobody else can read it.</summary>
internal sealed class KubeconfigCheck(NodeView node) : ICheck
{
    private const string Installer = "the installer writes it: look at its Pod on this node and its log";

    /// <inheritdoc/>
    public string Id => "node-kubeconfig";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var path = node.KubeconfigPath;
        if (!File.Exists(path))
        {
            yield return Finding.Failed($"there is no {path}: no Pod of this node starts", Installer);
            yield break;
        }

        foreach (var secret in SecretsAt(path))
        {
            if ((File.GetUnixFileMode(secret) & ~NodeFiles.Secret) != 0 || FileStatus.Of(secret).Fault is not null)
                yield return Finding.Failed($"{secret} can be read or written by others than root", "chmod 600, chown root; whoever has read it could act as this node: delete the token beside it, and the installer asks for another");
        }

        Finding? away = null;
        try
        {
            KubeConfig.Load(path);
        }
        catch (KubeConfigException e)
        {
            away = Finding.Failed(e.Message, $"delete it; {Installer}");
        }

        if (away is null)
            away = await ReachAsync(path, cancellation).ConfigureAwait(false);
        yield return away;
    }

    private async Task<Finding> ReachAsync(string path, CancellationToken cancellation)
    {
        try
        {
            await node.Api.GetVersionAsync(cancellation).ConfigureAwait(false);
            return Finding.Ok($"the API server answers by {path}");
        }
        catch (ApiException e)
        {
            return Finding.Failed($"the API server does not serve this node's plugin: {e.Message}", e.Code is System.Net.HttpStatusCode.Unauthorized
                ? "its token is not accepted: see node-token; delete it, and the installer asks for another"
                : "its address must be one that the host itself reaches (the installer's --server), and its certificate by the kubeconfig's authority");
        }
    }

    private static IEnumerable<string> SecretsAt(string kubeconfig)
    {
        var folder = Path.GetDirectoryName(kubeconfig)!;
        return Path.GetFileName(folder) == ApiAccess.Folder ? Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal) : [kubeconfig];
    }
}
