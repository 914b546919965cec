using Danm.Networks;

namespace Danm.HostLinks;

/// <summary>One network's wish for an interface of the host.</summary>
/// <param name="Network">The network, as messages name it.</param>
/// <param name="Parent">The interface.</param>
/// <param name="Mtu">The network's mtu; null: the kernel's choice for a VxLAN, the device's for a VLAN.</param>
/// <param name="Created">metadata.creationTimestamp, which compares as text: of two that cannot both have their wish, the older has it.</param>
public sealed record WantedLink(string Network, ParentLink Parent, int? Mtu, string Created);
