using Danm.Api;

namespace Danm.Networks;

/// <summary>How an interface is called inside the Pod.</summary>
public static class InterfaceName
{
    /// <summary>
    /// The name of the interface for one entry of the annotation: the runtime's CNI_IFNAME for the first; otherwise
    /// container_prefix and the zero-based position, <c>eth</c> and the position without a prefix, and exactly the
    /// prefix in the legacy scheme.
    /// </summary>
    /// <param name="position">Zero-based position in the annotation.</param>
    /// <param name="network">The entry's network.</param>
    /// <param name="cniIfname">CNI_IFNAME, which the CNI layer has checked.</param>
    /// <param name="legacy">Whether the CNI config has <c>namingScheme: legacy</c>.</param>
    /// <exception cref="NetworkFaultException">The name is none that an interface can have; names the network.</exception>
    public static string For(int position, Network network, string cniIfname, bool legacy)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (position == 0)
            return cniIfname;
        var prefix = network.Spec.Options.ContainerPrefix;
        var name = string.IsNullOrEmpty(prefix) ? $"eth{position}" : legacy ? prefix : $"{prefix}{position}";
        return Names.IsPlain(name, Names.MaxInterfaceLength) && name is not ("all" or "default")
            ? name
            : throw new NetworkFaultException(
                $"{network.Ref} spec.Options.container_prefix", prefix ?? "", $"makes the name of interface {position}, which {Names.InterfaceRule}");
    }

    /// <summary>The names for a whole annotation, in its order.</summary>
    /// <exception cref="NetworkFaultException">A name cannot be used, or occurs twice; names the network.</exception>
    public static string[] ForAll(IReadOnlyList<Network> networks, string cniIfname, bool legacy)
    {
        ArgumentNullException.ThrowIfNull(networks);
        var names = new string[networks.Count];
        for (var position = 0; position < names.Length; position++)
        {
            var name = For(position, networks[position], cniIfname, legacy);
            var earlier = Array.IndexOf(names, name, 0, position);
            if (earlier >= 0)
            {
                throw new NetworkFaultException(
                    $"{networks[position].Ref} spec.Options.container_prefix", networks[position].Spec.Options.ContainerPrefix ?? "",
                    $"makes interface {position} '{name}', which is interface {earlier} of {networks[earlier].Ref} already: give one of them another prefix");
            }

            names[position] = name;
        }

        return names;
    }
}
