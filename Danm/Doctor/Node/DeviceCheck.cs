using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Danm.Doctor.Node;

/// <summary>Whether the kubelet tells which devices a Pod has got, where networks take theirs from a device plugin's pool.</summary>
/// <param name="node">The node.</param>
/// <param name="path">The PodResources API's socket.</param>
internal sealed class DeviceCheck(NodeView node, string path = "/var/lib/kubelet/pod-resources/kubelet.sock") : ICheck
{
    /// <inheritdoc/>
    public string Id => "node-devices";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        if ((await node.Cluster.NetworksAsync().ConfigureAwait(false)).Items.FirstOrDefault(n => !string.IsNullOrEmpty(n.Spec.Options.DevicePool)) is not { } network)
        {
            yield return Finding.Ok("no network has a device_pool");
            yield break;
        }

        string? fault = null;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            fault = e.Message;
        }

        yield return fault is null
            ? Finding.Ok("the kubelet tells which devices Pods have")
            : Finding.Failed($"the kubelet's {path} does not answer ({fault}), and {network.Ref} takes devices from a pool", "does the kubelet run here? In a container, mount its folder");
    }
}
