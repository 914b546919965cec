using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Install;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Doctor.Node;

/// <summary>Whether Pods of this node that ask for nothing get the cluster's default network, with all that its plugins want of the runtime.</summary>
internal sealed class DefaultNetworkCheck(NodeView node) : ICheck
{
    /// <inheritdoc/>
    public string Id => "node-default-network";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        Network? network;
        try
        {
            network = await node.Api.TryGetAsync(ResourcePath.Danm(ApiNames.ClusterNetworks, null, DefaultNetwork.Name), ApiJson.Default.Network, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Code is null or System.Net.HttpStatusCode.Unauthorized)
        {
            throw new CheckSkippedException("the API server does not serve this node's plugin: see node-kubeconfig");
        }

        if (network is null)
        {
            yield return Finding.Warning("there is no ClusterNetwork default: Pods that ask for nothing start only in namespaces with a network default of their own", "the first installer makes it of the primary network: look at its log, or create it");
            yield break;
        }

        yield return NetworkTypes.IsDynamic(network.Spec.NetworkType)
            ? Finding.Ok($"ClusterNetwork/default is of type {CniText.Quote(NetworkTypes.Of(network.Spec.NetworkType))}, which needs no file here")
            : Compare(network.Spec.NetworkId ?? "", network.Spec.NetworkType!);
    }

    private Finding Compare(string id, string type)
    {
        var conf = node.Folders.Conf;
        if (!Names.IsPlain(id, NetworkRules.MaxIdLength))
            return Finding.Failed($"ClusterNetwork/default has NetworkID {CniText.Quote(id)}, which can be no file's name: no Pod that asks for nothing starts", "correct it");
        PrimaryNetwork? primary;
        try
        {
            primary = PrimaryNetwork.Read(conf, id);
        }
        catch (InstallException e)
        {
            return Finding.Failed(e.Message, "correct the file, or ClusterNetwork/default; Pods of this node that ask for nothing do not start");
        }

        if (primary is null)
            return Finding.Failed($"there is no {id}.conf, .conflist or .json in {conf}, which ClusterNetwork/default names: Pods of this node that ask for nothing do not start", "whatever installs the primary network writes it: does that run on this node?");
        if (primary.Type != type)
            return Finding.Failed($"ClusterNetwork/default has NetworkType {CniText.Quote(type)}, but {id} in {conf} is of type {CniText.Quote(primary.Type)}", "make them agree");
        var (has, wants) = (CapabilitiesOf(node.ConfigurationPath), primary.Capabilities);
        return has is null ? throw new CheckSkippedException("Danm's CNI configuration cannot be read: see node-cni-conf")
            : has.SequenceEqual(wants, StringComparer.Ordinal) ? Finding.Ok($"{id} is of type {CniText.Quote(type)}{(wants.Count == 0 ? "" : $", and the runtime is asked for {string.Join(", ", wants)}")}")
            : Finding.Failed(
                $"Danm's configuration asks the runtime for {Listed(has)}, and the plugins of {id} want {Listed(wants)}: hostPort or bandwidth of Pods do not work",
                "the installer brings that up to date within seconds: does it run on this node?");
    }

    private static List<string>? CapabilitiesOf(string path)
    {
        try
        {
            return [.. NetworkListReader.Read(File.ReadAllBytes(path), path).Plugins.SelectMany(p => p.Capabilities).Distinct().Order(StringComparer.Ordinal)];
        }
        catch (CniException)
        {
            return null;
        }
    }

    private static string Listed(IReadOnlyCollection<string> names) => names.Count == 0 ? "nothing" : string.Join(", ", names.Select(CniText.Quote));
}
