using System.Net;

namespace Danm.Netlink;

/// <summary>
/// A conversation with the kernel about the links, addresses, routes, rules and neighbours of one network namespace: that in which
/// the socket was opened, wherever the calling thread is. Reads like <c>ip</c>. Synchronous; not for several threads.
/// </summary>
/// <remarks>Every method throws <see cref="NetlinkException"/> when the kernel refuses.</remarks>
public sealed partial class RouteSocket : IDisposable
{
    private readonly NetlinkConversation _conversation;
    private readonly RouteBatch _single;

    internal RouteSocket(INetlinkChannel channel)
    {
        _conversation = new NetlinkConversation(channel);
        _single = NewBatch();
    }

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    public static RouteSocket Open() => new(NetlinkChannel.Open());

    /// <summary>Begins a batch: several changes in one system call.</summary>
    public RouteBatch NewBatch() => new(_conversation);

    /// <inheritdoc/>
    public void Dispose()
    {
        _single.Dispose();
        _conversation.Dispose();
    }

    /// <inheritdoc cref="RouteBatch.AddAddress"/>
    public void AddAddress(int index, CidrAddress address, bool noDad = false, bool replace = false)
    {
        _single.AddAddress(index, address, noDad, replace);
        _single.Send();
    }

    /// <summary>Takes an address from an interface; false if it was not there.</summary>
    public bool DeleteAddress(int index, CidrAddress address)
    {
        _single.DeleteAddress(index, address);
        return _single.Send() == 1;
    }

    /// <inheritdoc cref="RouteBatch.AddRoute"/>
    public void AddRoute(Route route)
    {
        _single.AddRoute(route);
        _single.Send();
    }

    /// <summary>Deletes a route that has all that is said of it; false if there is none.</summary>
    public bool DeleteRoute(Route route)
    {
        _single.DeleteRoute(route);
        return _single.Send() == 1;
    }

    /// <inheritdoc cref="RouteBatch.AddRule"/>
    public void AddRule(Rule rule)
    {
        _single.AddRule(rule);
        _single.Send();
    }

    /// <summary>Deletes the first rule that has all that is said of it; false if there is none.</summary>
    public bool DeleteRule(Rule rule)
    {
        _single.DeleteRule(rule);
        return _single.Send() == 1;
    }

    /// <inheritdoc cref="RouteBatch.AddNeighbour"/>
    public void AddNeighbour(Neighbour neighbour)
    {
        _single.AddNeighbour(neighbour);
        _single.Send();
    }

    /// <summary>Deletes a neighbour entry; false if it was not there.</summary>
    public bool DeleteNeighbour(int index, IPAddress destination)
    {
        _single.DeleteNeighbour(index, destination);
        return _single.Send() == 1;
    }

    /// <inheritdoc cref="RouteBatch.AppendForwarding"/>
    public void AppendForwarding(int index, MacAddress address, IPAddress remote)
    {
        _single.AppendForwarding(index, address, remote);
        _single.Send();
    }

    /// <inheritdoc cref="RouteBatch.DeleteForwarding"/>
    public void DeleteForwarding(Neighbour entry)
    {
        _single.DeleteForwarding(entry);
        _single.Send();
    }
}
