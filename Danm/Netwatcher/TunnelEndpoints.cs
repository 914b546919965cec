using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;

namespace Danm.Netwatcher;

/// <summary>
/// The addresses that the nodes' VxLANs are sent from, as netwatchers tell each other: an annotation of each Node, device by device,
/// since the Node's InternalIP is often on another one.
/// </summary>
internal sealed class TunnelEndpoints
{
    // A Node is its kubelet's and the administrators' to write; bounded all the same.
    private const int MaxDevices = 256;

    private readonly ApiClient api;
    private readonly string nodeName;
    private readonly Action<string> failed;
    private readonly Informer<Node> nodes;
    private string? published;

    /// <param name="api">The API server.</param>
    /// <param name="nodeName">This node.</param>
    /// <param name="changed">Called whenever another node's end points may have changed.</param>
    /// <param name="failed">Told what could not be read or published.</param>
    public TunnelEndpoints(ApiClient api, string nodeName, Action changed, Action<string> failed)
    {
        (this.api, this.nodeName, this.failed) = (api, nodeName, failed);
        nodes = new Informer<Node>(api, ResourcePath.Core("nodes", null), ClusterJson.Default.Node, new InformerOptions { MetadataOnly = true });
        nodes.Failed += failed;
        nodes.Changed += change =>
        {
            // Kubelets write their Nodes every few minutes, whatever there is to say.
            if (change.Before is null || AnnotationOf(change.Before) != AnnotationOf(change.After))
                changed();
        };
    }

    /// <summary>Whether all other nodes are known.</summary>
    public bool IsComplete => nodes.State == InformerState.Listed;

    /// <summary>Keeps up with the Nodes until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => nodes.RunAsync(cancellation);

    /// <summary>The other nodes' end points, by device.</summary>
    public IReadOnlyDictionary<string, HashSet<IPAddress>> Read()
    {
        var remotes = new Dictionary<string, HashSet<IPAddress>>();
        foreach (var node in nodes.Items.Where(n => n.Metadata.Name != nodeName))
        {
            foreach (var (device, text) in Parse(AnnotationOf(node)).Take(MaxDevices))
            {
                if (!IPAddress.TryParse(text, out var address) || !IsUnicast(address))
                    continue;
                if (!remotes.TryGetValue(device, out var addresses))
                    remotes[device] = addresses = [];
                addresses.Add(address);
            }
        }

        return remotes;
    }

    /// <summary>Tells the other nodes this one's end points, if they are not told already.</summary>
    /// <param name="own">By device.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task PublishAsync(IReadOnlyDictionary<string, IPAddress> own, CancellationToken cancellation)
    {
        if (!IsComplete)
            return;
        if (nodes.Find(new ObjectKey(null, nodeName)) is not { } node)
        {
            failed($"there is no Node {nodeName}: other nodes cannot be told this one's VxLAN addresses; give --node-name");
            return;
        }

        var annotation = own.Count == 0 ? null : JsonSerializer.Serialize(
            own.OrderBy(o => o.Key, StringComparer.Ordinal).ToDictionary(o => o.Key, o => o.Value.ToString()), ClusterJson.Default.DictionaryStringString);
        if (AnnotationOf(node) == annotation || published == $"{node.Metadata.ResourceVersion} {annotation}")
            return;
        try
        {
            await api.PatchAsync(
                ResourcePath.Core("nodes", null, nodeName).Status, MetadataPatch.Annotate(ApiNames.TunnelEndpointsAnnotation, annotation), ClusterJson.Default.MetadataPatch, cancellation).ConfigureAwait(false);
            published = $"{node.Metadata.ResourceVersion} {annotation}";
        }
        catch (ApiException e)
        {
            failed(e.Message);
        }
    }

    private static string? AnnotationOf(Node? node) => node?.Metadata.Annotations?.GetValueOrDefault(ApiNames.TunnelEndpointsAnnotation);

    private static Dictionary<string, string> Parse(string? annotation)
    {
        try
        {
            return annotation is null ? [] : JsonSerializer.Deserialize(annotation, ClusterJson.Default.DictionaryStringString) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static bool IsUnicast(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.GetAddressBytes() is [> 0 and < 224 and not 127, ..]
        : !address.IsIPv6Multicast && !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.IPv6Any) && !address.IsIPv4MappedToIPv6;
}
