namespace Danm.Netlink;

/// <summary>An interface to be made, as after <c>ip link add</c>.</summary>
/// <param name="Name">Its final name; see <see cref="InterfaceName.IsValid"/>.</param>
/// <param name="Kind">What it is.</param>
public sealed record LinkSpec(string Name, LinkKind Kind)
{
    /// <summary>The interface it stands on, an index of the socket's namespace, whatever <see cref="Namespace"/> says.</summary>
    public int? ParentIndex { get; init; }

    /// <summary>The MTU in bytes; the kernel's default (for most kinds the parent's) if null.</summary>
    public int? Mtu { get; init; }

    /// <summary>
    /// Free text of at most 255 bytes. The kernel ignores an alias in the message that makes a link (it does not ignore
    /// <see cref="Group"/>), so it follows in one of its own, and not together with <see cref="Namespace"/>.
    /// </summary>
    public string? Alias { get; init; }

    /// <summary>Its group number, which is set in the message that makes it.</summary>
    public uint? Group { get; init; }

    /// <summary>The MAC address; chosen by the kernel if null.</summary>
    public MacAddress? Address { get; init; }

    /// <summary>The namespace it is made in, directly and under its final name; the socket's if null.</summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>Whether it is brought up at once.</summary>
    public bool Up { get; init; }

    /// <summary>The name, which is how errors speak of it.</summary>
    public override string ToString() => Name;
}

/// <summary>What to change on an interface, as after <c>ip link set</c>; null leaves a thing as it is.</summary>
public sealed record LinkChange
{
    /// <summary>Brings it up or down.</summary>
    public bool? Up { get; init; }

    /// <summary>The MTU in bytes.</summary>
    public int? Mtu { get; init; }

    /// <summary>A new name.</summary>
    public string? Name { get; init; }

    /// <summary>Free text of at most 255 bytes; empty removes it.</summary>
    public string? Alias { get; init; }

    /// <summary>Index of a bridge, bond or VRF to join; 0 leaves the present one.</summary>
    public int? MasterIndex { get; init; }

    /// <summary>The MAC address.</summary>
    public MacAddress? Address { get; init; }

    /// <summary>The namespace it moves to, renamed on the way if <see cref="Name"/> is set.</summary>
    public NetworkNamespace? Namespace { get; init; }
}
