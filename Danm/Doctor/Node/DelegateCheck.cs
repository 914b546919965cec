using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Networks;

namespace Danm.Doctor.Node;

/// <summary>Whether this node has the files and the programs of networks that other plugins serve.</summary>
internal sealed class DelegateCheck(NodeView node) : ICheck
{
    private const string Elsewhere = "; if Pods of this network are never on this node, leave it";

    /// <inheritdoc/>
    public string Id => "node-delegates";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (looked, wrong) = (0, false);
        var cniDir = Directory.Exists(node.Config.CniDir) ? node.Config.CniDir : node.Folders.Conf;
        var programs = new Dictionary<string, string>();
        foreach (var network in (await node.Cluster.NetworksAsync().ConfigureAwait(false)).Items)
        {
            if (NetworkTypes.Of(network.Spec.NetworkType) == NetworkTypes.Ipvlan)
                continue;
            looked++;
            if (Unusable(network, cniDir, programs) is not { } message)
                continue;
            wrong = true;
            yield return Finding.Warning(message, $"put the file there, on every node{Elsewhere}");
        }

        foreach (var (program, network) in programs)
        {
            if (!Names.IsPlain(program, NetworkRules.MaxIdLength) || File.Exists(Path.Combine(node.Folders.Bin, program)))
                continue;
            wrong = true;
            yield return Finding.Warning($"there is no program {program} in {node.Folders.Bin}, which {network} needs", $"install that plugin{Elsewhere}");
        }

        if (!wrong)
            yield return Finding.Ok(looked == 0 ? "no network is served by another plugin" : $"files and programs of {looked} networks are here");
    }

    private static string? Unusable(Network network, string cniDir, Dictionary<string, string> programs)
    {
        try
        {
            // Of the types whose configuration we build there is no file.
            foreach (var type in DelegateFile.Read(network, cniDir)?.Plugins.Select(p => p.Type) ?? [NetworkTypes.Of(network.Spec.NetworkType)])
                programs.TryAdd(type, network.Ref.ToString());
            return null;
        }
        catch (CniException e)
        {
            return e.Message;
        }
    }
}
