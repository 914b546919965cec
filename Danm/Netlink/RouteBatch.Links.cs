using System.Text;

namespace Danm.Netlink;

public sealed partial class RouteBatch
{
    /// <summary>IFALIASZ, 256, less the NUL that the kernel adds.</summary>
    private const int MaxAliasLength = 255;

    /// <summary>Changes an interface.</summary>
    public void SetLink(int index, LinkChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        const uint up = (uint)LinkFlags.Up;
        var header = new IfInfoMsg { Index = index };
        if (change.Up is { } state)
            (header.Flags, header.Change) = (state ? up : 0, up);
        var writer = Begin(Rtm.SetLink, 0, header);
        if (change.Mtu is { } mtu)
            writer.Put(Ifla.Mtu, mtu);
        if (change.Name is { } name)
            writer.Put(Ifla.Name, InterfaceName.Require(name, nameof(change)));
        if (change.Alias is { } alias)
            PutAlias(ref writer, alias);
        if (change.MasterIndex is { } master)
            writer.Put(Ifla.Master, master);
        if (change.Address is { } address)
            writer.Put(Ifla.Address, address);
        if (change.Namespace is { } target)
            writer.Put(Ifla.NetNsFd, target.Descriptor);
        End(writer, "set link", $"dev {index}");
    }

    /// <summary>Deletes an interface; one that is not there counts as deleted.</summary>
    public void DeleteLink(int index) =>
        End(Begin(Rtm.DeleteLink, 0, new IfInfoMsg { Index = index }), "delete link", index, Errno.ENODEV);

    /// <summary>Deletes an interface by its name; one that is not there counts as deleted.</summary>
    public void DeleteLink(string name)
    {
        var writer = Begin(Rtm.DeleteLink, 0, default(IfInfoMsg));
        writer.Put(Ifla.Name, InterfaceName.Require(name, nameof(name)));
        End(writer, "delete link", name, Errno.ENODEV);
    }

    /// <summary>Makes an interface, its alias excepted.</summary>
    internal void AddLink(LinkSpec spec)
    {
        // The echo goes to our port number in the namespace where the link is made, so elsewhere it would not be for us.
        var flags = NlmF.Create | NlmF.Exclusive | (spec.Namespace is null ? NlmF.Echo : 0);
        var up = spec.Up ? (uint)LinkFlags.Up : 0;
        var writer = Begin(Rtm.NewLink, (ushort)flags, new IfInfoMsg { Flags = up, Change = up });
        writer.Put(Ifla.Name, InterfaceName.Require(spec.Name, nameof(spec)));
        if (spec.ParentIndex is { } parent)
            writer.Put(Ifla.Link, parent);
        if (spec.Mtu is { } mtu)
            writer.Put(Ifla.Mtu, mtu);
        if (spec.Group is { } group)
            writer.Put(Ifla.Group, group);
        if (spec.Address is { } address)
            writer.Put(Ifla.Address, address);
        if (spec.Namespace is { } target)
            writer.Put(Ifla.NetNsFd, target.Descriptor);
        var info = writer.BeginNested(Ifla.LinkInfo);
        writer.Put(IflaInfo.Kind, spec.Kind.Name);
        var data = writer.BeginNested(IflaInfo.Data);
        spec.Kind.WriteData(ref writer);
        writer.EndNested(data);
        writer.EndNested(info);
        End(writer, "add link", spec);
    }

    /// <summary>Gives an interface that has just been made its alias.</summary>
    internal void SetAlias(string name, string alias)
    {
        var writer = Begin(Rtm.SetLink, 0, default(IfInfoMsg));
        writer.Put(Ifla.Name, name);
        PutAlias(ref writer, alias);
        End(writer, "set alias of link", name);
    }

    internal static void RequireAlias(string alias)
    {
        if (Encoding.UTF8.GetByteCount(alias) > MaxAliasLength)
            throw new ArgumentException($"an alias has at most {MaxAliasLength} bytes", nameof(alias));
    }

    private static void PutAlias(ref NetlinkWriter writer, string alias)
    {
        RequireAlias(alias);
        // Unlike a name it goes without a NUL; an empty one removes the alias.
        Span<byte> bytes = stackalloc byte[MaxAliasLength];
        writer.Put(Ifla.Alias, bytes[..Encoding.UTF8.GetBytes(alias, bytes)]);
    }
}
