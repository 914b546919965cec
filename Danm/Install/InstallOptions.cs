using Danm.Cni;
using Danm.Kube.Serving;

namespace Danm.Install;

/// <summary>What the installer puts on a node, and where.</summary>
internal sealed record InstallOptions
{
    /// <summary>This node's name in Kubernetes.</summary>
    public required string NodeName { get; init; }

    /// <summary>Where the runtime looks for plugins, as seen here.</summary>
    public required string BinDir { get; init; }

    /// <summary>Where the runtime looks for configurations, as seen here.</summary>
    public required string ConfDir { get; init; }

    /// <summary>The same as the host sees it: what the configuration says.</summary>
    public required string HostConfDir { get; init; }

    /// <summary>Where networks of other plugins have their files, as the host sees it; null: <see cref="HostConfDir"/>.</summary>
    public string? HostCniDir { get; init; }

    /// <summary>The API server's URL, as the host reaches it.</summary>
    public required string Server { get; init; }

    /// <summary>Its certificate authorities as they are now, PEM; empty: the host's own.</summary>
    public required Func<byte[]> CertificateAuthority { get; init; }

    /// <summary>The account that Pods' interfaces are made under.</summary>
    public string ServiceAccount { get; init; } = "danm";

    /// <summary>The account's namespace.</summary>
    public string Namespace { get; init; } = "kube-system";

    /// <summary>The configuration's <c>namingScheme</c>; null: none.</summary>
    public string? NamingScheme { get; init; }

    /// <summary>The configuration's <c>vxlanFlooding</c>; null: none.</summary>
    public string? VxlanFlooding { get; init; }

    /// <summary>The adopted network's NetworkID: the name of its file without the ending; null: the first file that a runtime would take.</summary>
    public string? DefaultNetworkId { get; init; }

    /// <summary>The adopted network's first plugin; null: whatever its file says.</summary>
    public string? DefaultNetworkType { get; init; }

    /// <summary>The content of the adopted network's file, where there is none; null: somebody else writes it.</summary>
    public string? DefaultNetworkConfig { get; init; }

    /// <summary>Where the probes are answered; null: nowhere.</summary>
    public BindAddress? Health { get; init; }

    /// <summary>Where the metrics are; null: nowhere.</summary>
    public BindAddress? Metrics { get; init; }

    /// <summary>Looks whether the configuration can be as it is asked for. A fault of each round, and none at the start: the token is renewed all the same.</summary>
    /// <exception cref="InstallException">It cannot.</exception>
    public void Check()
    {
        if (HostCniDir is { } other && other != HostConfDir)
            throw new InstallException($"networks' files are read in the folder of CNI configurations, {HostConfDir}: --cni-dir {CniText.Quote(other)} (cni_dir of danm-installer-config) must be that folder");
        if (VxlanFlooding is not (null or "multicast" or "unicast"))
            throw new InstallException($"--vxlan-flooding {CniText.Quote(VxlanFlooding)} is neither multicast nor unicast");
    }
}
