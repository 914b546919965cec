using Danm.Api;
using Danm.Networks;

namespace Danm.Cli.Ipam;

/// <summary>A network as operators name it: <c>KIND/NAME</c>, the kind spelled as kubectl takes it.</summary>
internal static class NetworkArgument
{
    /// <summary>Null if it is none.</summary>
    public static NetworkRef? TryParse(string text, string ns)
    {
        if (text.Split('/') is not [var kindText, var name] || !Names.IsSubdomain(name))
            return null;
        NetworkKind? kind = kindText.ToLowerInvariant() switch
        {
            "danmnet" or ApiNames.DanmNets or "dn" or "dnet" => NetworkKind.DanmNet,
            "tenantnetwork" or ApiNames.TenantNetworks or "tn" or "tnet" => NetworkKind.TenantNetwork,
            "clusternetwork" or ApiNames.ClusterNetworks or "cn" or "cnet" => NetworkKind.ClusterNetwork,
            _ => null,
        };
        return kind is { } known ? new NetworkRef(known, known.IsNamespaced() ? ns : null, name) : null;
    }
}
