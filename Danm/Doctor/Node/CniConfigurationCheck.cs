using System.Runtime.CompilerServices;
using Danm.Cni;
using Danm.Install;
using Danm.State;

namespace Danm.Doctor.Node;

/// <summary>Whether the runtime takes Danm's configuration, and can read it.</summary>
internal sealed class CniConfigurationCheck(NodeView node) : ICheck
{
    private const string Installer = "the installer writes it: look at its Pod on this node (kubectl get pods -n kube-system -l danm=cni -o wide) and its log";

    private static readonly string[] Extensions = [".conf", ".conflist", ".json"];

    // A file that an installer is writing at this moment is none that was left.
    private static readonly TimeSpan Unfinished = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public string Id => "node-cni-conf";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var conf = node.Folders.Conf;
        if (!Directory.Exists(conf))
        {
            yield return Finding.Failed($"there is no folder {conf}", "name the runtime's with --cni-conf-dir, or install a primary network first");
            yield break;
        }

        var files = Directory.EnumerateFiles(conf).Select(f => Path.GetFileName(f)).Where(n => Extensions.Contains(Path.GetExtension(n))).Order(StringComparer.Ordinal).ToList();
        var path = Path.Combine(conf, DanmConfiguration.FileName);
        var wrong = false;
        foreach (var finding in files.Contains(DanmConfiguration.FileName) ? FaultsOf(path, files[0]) : [Missing(files)])
        {
            wrong = true;
            yield return finding;
        }

        var left = new DirectoryInfo(conf).EnumerateFiles(".*.danm-unfinished*").Concat(Directory.Exists(node.Folders.Bin) ? new DirectoryInfo(node.Folders.Bin).EnumerateFiles(".*.danm-unfinished*") : [])
            .FirstOrDefault(f => DateTime.UtcNow - f.LastWriteTimeUtc > Unfinished);
        if (left is not null)
            yield return Finding.Warning($"an installer was ended while it wrote {left.FullName}", "the next one removes it: does one run on this node?");
        else if (!wrong)
            yield return Finding.Ok($"{path} is the first of {files.Count}");
    }

    private Finding Missing(List<string> files) => files.Contains(DanmConfiguration.OriginalFileName)
        ? Finding.Failed($"{node.Folders.Conf} has the original's {DanmConfiguration.OriginalFileName}, and not yet {DanmConfiguration.FileName}: Pods start by the original's plugin, or by ours with its credentials", Installer)
        : Finding.Failed($"there is no {DanmConfiguration.FileName} in {node.Folders.Conf}: Pods of this node start without Danm", Installer);

    private static IEnumerable<Finding> FaultsOf(string path, string first)
    {
        if (first == DanmConfiguration.OriginalFileName)
            yield return Finding.Failed($"the runtime takes the original's {first} before {DanmConfiguration.FileName}", $"delete it; if it comes back, the original's DaemonSet danm-cni still runs");
        else if (first != DanmConfiguration.FileName)
            yield return Finding.Failed($"the runtime takes {CniText.Quote(first)} before {DanmConfiguration.FileName}: Pods start without Danm", "rename that file so that it sorts behind, or remove what writes it");
        if (new FileInfo(path).LinkTarget is { } target)
            yield return Finding.Warning($"{path} is a link to {CniText.Quote(target)}", "delete it, and the installer writes a file");
        if (FileStatus.Of(path).Fault is { } fault)
            yield return Finding.Failed($"{path} {fault}", "whoever writes it decides what runs as root: delete it, and the installer writes it anew");
        if (Unreadable(path) is { } message)
            yield return Finding.Failed(message, "delete it, and the installer writes it anew");
    }

    private static string? Unreadable(string path)
    {
        try
        {
            NetConfReader.ReadFile(path);
            return null;
        }
        catch (CniException e)
        {
            return e.Message;
        }
    }
}
