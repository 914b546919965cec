using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;
using Danm.Tests.Netlink;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>This machine's kernel, in a network namespace of our own; Pods' interfaces are macvlan children in a second one.</summary>
internal sealed class RealKernel : IModelHost, IDisposable
{
    private readonly TemporaryNamespace node = new(), podSide = new();
    private readonly RouteSocket socket, podSocket;
    private readonly KernelLinks links;
    private int addresses;

    public RealKernel()
    {
        socket = node.OpenRoute();
        podSocket = podSide.OpenRoute();
        links = new KernelLinks(node.OpenRoute, multicast: true);
    }

    public (IReadOnlyList<Link> Links, IReadOnlySet<int> WithAddresses) Read() => links.Read();

    public void Apply(LinkStep step) => links.Apply(step);

    public void AddDevice(string name)
    {
        socket.AddLink(new LinkSpec(name, new LinkKind.Bridge()) { Up = true, Mtu = 1500 });
        AddAddress(socket.GetLink(name)!.Index);
    }

    public bool TryAdd(LinkSpec spec)
    {
        try
        {
            socket.AddLink(spec);
            return true;
        }
        catch (NetlinkException)
        {
            return false;
        }
    }

    public void Delete(int index) => socket.DeleteLink(index);

    public void Set(int index, LinkChange change) => socket.SetLink(index, change);

    public void AddAddress(int index) => node.Ip($"address add 192.0.2.{++addresses % 250 + 1}/24 dev {socket.GetLink(index)!.Name}");

    public int? Ensure(ParentLink parent, int? mtu)
    {
        try
        {
            return HostLink.Ensure(socket, parent, mtu).Index;
        }
        catch (Exception e) when (e is HostLinkException or NetlinkException)
        {
            return null;
        }
    }

    public void AddChild(int parent, int pod) =>
        socket.AddLink(new LinkSpec($"pod{pod}", new LinkKind.Macvlan()) { ParentIndex = parent, Namespace = podSide.Namespace });

    public bool HasChild(int pod) => podSocket.GetLink($"pod{pod}") is not null;

    public void DeleteChild(int pod) => podSocket.DeleteLink($"pod{pod}");

    /// <inheritdoc/>
    public void Dispose()
    {
        socket.Dispose();
        podSocket.Dispose();
        podSide.Dispose();
        node.Dispose();
    }
}
