using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Danm.Install;
using Danm.State;

namespace Danm.Doctor.Node;

/// <summary>Whether the runtime finds Danm's plugins, and they are of this build.</summary>
/// <param name="node">The node.</param>
/// <param name="self">The executable that runs.</param>
internal sealed class PluginCheck(NodeView node, string self = "/proc/self/exe") : ICheck
{
    private const string Installer = "the installer copies it there: does its Pod run on this node, and is --cni-bin-dir the runtime's folder?";

    /// <inheritdoc/>
    public string Id => "node-plugin";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var path = Path.Combine(node.Folders.Bin, PluginFiles.Names[0]);
        if (!File.Exists(path))
        {
            yield return Finding.Failed($"there is no {path}: no Pod of this node starts", Installer);
            yield break;
        }

        var status = FileStatus.Of(path);
        if (status.Fault is { } fault)
            yield return Finding.Failed($"{path} {fault}", "it runs as root for every Pod: delete it, and the installer copies it anew");
        else if ((File.GetUnixFileMode(path) & NodeFiles.Program) != NodeFiles.Program)
            yield return Finding.Failed($"{path} cannot be executed", "chmod 755, or delete it: the installer copies it anew");
        else if (!await IsSameAsync(path, cancellation).ConfigureAwait(false))
            yield return Finding.Warning($"{path} is of another build than this program ({status.Size:N0} bytes)", "wait for the installer's roll-out, or run the doctor of that build: danm doctor in that folder");
        else
            yield return Finding.Ok($"{path} is this build");

        foreach (var name in PluginFiles.Names.Skip(1))
        {
            var link = new FileInfo(Path.Combine(node.Folders.Bin, name));
            if (!link.Exists)
                yield return Finding.Failed($"{link.FullName} {(link.LinkTarget is null ? "is missing" : "leads nowhere")}: networks of other plugins get no addresses", Installer);
            else if (link.LinkTarget != PluginFiles.Names[0])
                yield return Finding.Failed($"{link.FullName} is not the link to {PluginFiles.Names[0]}: another program answers there", "delete it, and the installer makes it anew");
        }
    }

    private async Task<bool> IsSameAsync(string path, CancellationToken cancellation) =>
        new FileInfo(path).Length == RealLength(self) && await HashAsync(path, cancellation).ConfigureAwait(false) == await HashAsync(self, cancellation).ConfigureAwait(false);

    // A link has a length of its own.
    private static long RealLength(string path)
    {
        using var file = File.OpenRead(path);
        return file.Length;
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancellation)
    {
        var file = File.OpenRead(path);
        await using (file.ConfigureAwait(false))
            return Convert.ToHexString(await SHA256.HashDataAsync(file, cancellation).ConfigureAwait(false));
    }
}
