using Danm.Cni;
using Danm.Netlink;

namespace Danm.Attach.Delegation;

/// <summary>What a delegate's answer says of the one interface that it was called for.</summary>
internal static class DelegateResult
{
    /// <summary>The addresses in the Pod: those of the interface, or all where the answer does not say whose they are.</summary>
    public static List<CidrAddress> AddressesOf(CniResult result, string name) =>
        [.. result.Ips.Where(i => i.Interface is not { } index || IsInPod(result.Interfaces[index], name)).Select(i => i.Address)];

    /// <summary>
    /// The interfaces, with those of versions that list none (before 0.3.0) made up, and for every address in the Pod the interface
    /// that it is on.
    /// </summary>
    /// <param name="result">The answer.</param>
    /// <param name="name">The interface that the plugin was called for.</param>
    /// <param name="made">That interface as the kernel has it.</param>
    public static CniResult Complete(CniResult result, string name, CniInterface made)
    {
        var interfaces = result.Interfaces.ToList();
        var place = interfaces.FindIndex(i => i.Name == name && i.Sandbox is not null);
        if (place < 0)
        {
            place = interfaces.Count;
            interfaces.Add(made);
        }
        else
        {
            interfaces[place] = interfaces[place] with { Mac = interfaces[place].Mac ?? made.Mac, Mtu = interfaces[place].Mtu ?? made.Mtu };
        }

        return result with
        {
            Interfaces = interfaces,
            Ips = [.. result.Ips.Select(i => i.Interface is null ? i with { Interface = place } : i)],
        };
    }

    private static bool IsInPod(CniInterface link, string name) => link.Name == name || link.Sandbox is not null;
}
