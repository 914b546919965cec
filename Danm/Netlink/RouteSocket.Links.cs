namespace Danm.Netlink;

public sealed partial class RouteSocket
{
    /// <summary>Finds an interface by its name; null if there is none.</summary>
    public Link? GetLink(string name)
    {
        var writer = new NetlinkWriter(stackalloc byte[80]);
        writer.BeginMessage(Rtm.GetLink, 0, default(IfInfoMsg));
        writer.Put(Ifla.Name, InterfaceName.Require(name, nameof(name)));
        return GetLink(ref writer, new Operation("get link", name));
    }

    /// <summary>Finds an interface by its index; null if there is none.</summary>
    public Link? GetLink(int index)
    {
        // To the kernel an index of 0 is no index at all.
        if (index <= 0)
            return null;
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetLink, 0, new IfInfoMsg { Index = index });
        return GetLink(ref writer, new Operation("get link", index));
    }

    /// <summary>Lists all interfaces.</summary>
    public List<Link> DumpLinks()
    {
        var writer = new NetlinkWriter(stackalloc byte[64]);
        writer.BeginMessage(Rtm.GetLink, NlmF.Dump, default(IfInfoMsg));
        writer.Put(Ifla.ExtMask, Ifla.SkipStats);
        writer.EndMessage();
        return _conversation.Dump<Link>(writer.Written, new Operation("dump links"), Link.TryParse);
    }

    /// <summary>
    /// Makes an interface. One of that name is an error (EEXIST), also if it is the same.
    /// </summary>
    /// <returns>The interface as the kernel echoes it (Linux 6.2 or later, made in the socket's own namespace), else null.</returns>
    /// <exception cref="ArgumentException">A name or alias is no such thing, or an alias is set on a link for another namespace.</exception>
    public Link? AddLink(LinkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Alias is not null && spec.Namespace is not null)
            throw new ArgumentException("the alias of a link in another namespace is set there", nameof(spec));
        if (spec.Alias is not null)
            RouteBatch.RequireAlias(spec.Alias);
        Link? made = null;
        _single.AddLink(spec);
        _single.Send((in NetlinkMessage message) =>
        {
            if (Link.TryParse(message, out var link))
                made = link;
        });
        if (spec.Alias is null)
            return made;
        try
        {
            _single.SetAlias(spec.Name, spec.Alias);
            _single.Send();
        }
        catch (NetlinkException)
        {
            DeleteLink(spec.Name);
            throw;
        }

        return made is null ? null : made with { Alias = spec.Alias };
    }

    /// <inheritdoc cref="RouteBatch.SetLink"/>
    public void SetLink(int index, LinkChange change)
    {
        _single.SetLink(index, change);
        _single.Send();
    }

    /// <summary>Deletes an interface; false if it was not there.</summary>
    public bool DeleteLink(int index)
    {
        _single.DeleteLink(index);
        return _single.Send() == 1;
    }

    /// <summary>Deletes an interface by its name; false if it was not there.</summary>
    public bool DeleteLink(string name)
    {
        _single.DeleteLink(name);
        return _single.Send() == 1;
    }

    private Link? GetLink(ref NetlinkWriter writer, Operation operation)
    {
        writer.Put(Ifla.ExtMask, Ifla.SkipStats);
        writer.EndMessage();
        return _conversation.TryGet<Link>(writer.Written, operation, Errno.ENODEV, Link.TryParse, out var link) ? link : null;
    }
}
