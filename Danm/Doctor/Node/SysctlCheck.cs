using System.Globalization;
using System.Runtime.CompilerServices;
using Danm.Networks;

namespace Danm.Doctor.Node;

/// <summary>Kernel parameters that keep networks of this cluster from working.</summary>
/// <param name="node">The node.</param>
/// <param name="folder">/proc/sys/net; another one is for tests.</param>
internal sealed class SysctlCheck(NodeView node, string folder = "/proc/sys/net") : ICheck
{
    /// <inheritdoc/>
    public string Id => "node-sysctl";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var networks = (await node.Cluster.NetworksAsync().ConfigureAwait(false)).Items;
        var wrong = false;
        var v6 = networks.FirstOrDefault(n => !string.IsNullOrEmpty(n.Spec.Options.Net6));
        if (v6 is not null && !Directory.Exists(Path.Combine(folder, "ipv6")))
        {
            wrong = true;
            yield return Finding.Failed($"this kernel has no IPv6, which {v6.Ref} has a subnet of: its Pods do not start on this node", "boot it without ipv6.disable=1, or load the module ipv6");
        }

        var vxlans = networks.Count(n => n.Spec.Options.Vxlan is > 0 && !string.IsNullOrEmpty(n.Spec.Options.HostDevice));
        var memberships = Read("ipv4/igmp_max_memberships");
        if (node.Config.VxlanFlooding == Cni.NetConfVxlanFlooding.Multicast && memberships is { } most && vxlans > most)
        {
            wrong = true;
            yield return Finding.Warning($"net.ipv4.igmp_max_memberships is {most}, and there are {vxlans} VxLANs that flood by multicast: those beyond it do not come up", "netwatcher raises it where it may write /proc/sys; else write it to /etc/sysctl.d");
        }

        if (!wrong)
            yield return Finding.Ok("no kernel parameter is in the way");
    }

    private int? Read(string name)
    {
        var path = Path.Combine(folder, name);
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
