using System.Text.Json.Serialization;
using Danm.Api;

namespace Danm.Install;

/// <summary>The ClusterNetwork that an installer makes: these members and no other, not even empty Options, for the policy danm-node-default allows no more.</summary>
/// <param name="Metadata">Its name and labels.</param>
/// <param name="Spec">Its file on the nodes, and that file's first plugin.</param>
internal sealed record DefaultNetworkManifest(ObjectMeta Metadata, DefaultNetworkManifest.Network Spec)
{
    /// <summary>danm.io/v1.</summary>
    public string ApiVersion => ApiNames.GroupVersion;

    /// <summary>ClusterNetwork.</summary>
    public string Kind => ApiNames.ClusterNetwork;

    /// <summary>Which file, of which plugin.</summary>
    /// <param name="NetworkId">The file's name without the ending.</param>
    /// <param name="NetworkType">Its first plugin.</param>
    internal sealed record Network([property: JsonPropertyName("NetworkID")] string NetworkId, [property: JsonPropertyName("NetworkType")] string NetworkType);
}
