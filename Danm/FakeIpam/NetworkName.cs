using Danm.Api;
using Danm.Cni;
using Danm.Networks;

namespace Danm.FakeIpam;

/// <summary>Networks as <c>ipam.network</c> names them: <c>KIND/NAME</c>, and <c>KIND/NAMESPACE/NAME</c> of kinds that have namespaces.</summary>
internal static class NetworkName
{
    private const string Form = "KIND/NAME or KIND/NAMESPACE/NAME, KIND being ClusterNetwork (without a namespace), TenantNetwork or DanmNet";

    /// <param name="text">Untrusted.</param>
    /// <param name="podNamespace">Where to look where the text names no namespace; null if there is no Pod.</param>
    /// <exception cref="CniException">Code 7.</exception>
    public static NetworkRef Read(string text, string? podNamespace)
    {
        var parts = text.Split('/');
        if (parts.Length is not (2 or 3) || parts[0].Length == 0 || !NetworkKinds.TryParse(parts[0], out var kind) || !Array.TrueForAll(parts[1..], p => Names.IsSubdomain(p)))
            throw Fault(text, $"is not {Form}");
        if (!kind.IsNamespaced())
            return parts.Length == 2 ? new NetworkRef(kind, null, parts[1]) : throw Fault(text, $"has a namespace, and {parts[0]}s have none");
        if (parts.Length == 3)
            return new NetworkRef(kind, parts[1], parts[2]);
        return podNamespace is not null
            ? new NetworkRef(kind, podNamespace, parts[1])
            : throw Fault(text, $"has no namespace, and CNI_ARGS names no Pod whose it could be: write {parts[0]}/NAMESPACE/{parts[1]}");
    }

    private static CniException Fault(string text, string complaint) =>
        new(CniErrorCode.InvalidNetworkConfig, $"the network configuration: ipam.network {CniText.Quote(text)} {complaint}", "ipam.network");
}
