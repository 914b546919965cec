using Danm.Api;

namespace Danm.Networks;

/// <summary>The network of Pods that ask for none.</summary>
public static class DefaultNetwork
{
    /// <summary>The name that makes a network the default one.</summary>
    public const string Name = "default";

    /// <summary>Where to look, first to last; the first that exists is it.</summary>
    public static NetworkRef[] Candidates(string podNamespace) =>
    [
        new(NetworkKind.DanmNet, podNamespace, Name),
        new(NetworkKind.TenantNetwork, podNamespace, Name),
        new(NetworkKind.ClusterNetwork, null, Name),
    ];

    /// <summary>What such a Pod gets: a dynamic address of every family that the network has a subnet for.</summary>
    public static AttachmentRequest RequestFor(Network network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var options = network.Spec.Options;
        return new AttachmentRequest(
            0,
            network.Ref,
            string.IsNullOrEmpty(options.Cidr) ? default : IPRequest.Dynamic,
            string.IsNullOrEmpty(options.Net6) ? default : IPRequest.Dynamic,
            [],
            []);
    }
}
