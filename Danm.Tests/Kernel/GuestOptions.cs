namespace Danm.Tests.Kernel;

/// <summary>What a <see cref="Guest"/> is made of.</summary>
internal sealed record GuestOptions
{
    /// <summary>The guest's memory in MiB; the host gives a page only when the guest touches it.</summary>
    public int Memory { get; init; } = 1024;

    /// <summary>The MTU of the link between host and guest, at both ends.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>The time until the guest takes commands. 5 s on a quiet machine.</summary>
    public TimeSpan BootTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The time for a command that gives none of its own; generous, as all commands share one slow CPU.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Kernel modules, loaded with what they depend on.</summary>
    public IReadOnlyList<string> Modules { get; init; } =
        ["ipv6", "dummy", "ipvlan", "8021q", "vxlan", "macvlan", "veth", "bridge", "vrf"];

    /// <summary>Directories of the host that the guest may change, in its memory only.</summary>
    public IReadOnlyList<string> Overlays { get; init; } = ["/etc", "/var", "/root"];

    /// <summary>Directories that are empty in the guest; made where missing, if an overlay is above them.</summary>
    public IReadOnlyList<string> EmptyDirectories { get; init; } = ["/var/lib/cni", "/etc/cni", "/var/log"];
}
