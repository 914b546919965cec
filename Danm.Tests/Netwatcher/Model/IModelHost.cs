using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>A host as its owner and its Pods use it, beside netwatcher.</summary>
internal interface IModelHost : IHostLinks
{
    /// <summary>Makes a device that networks name, up, with an address and an MTU of 1500.</summary>
    void AddDevice(string name);

    /// <summary>Makes an interface as by hand; false if the kernel does not want it.</summary>
    bool TryAdd(LinkSpec spec);

    void Delete(int index);

    void Set(int index, LinkChange change);

    void AddAddress(int index);

    /// <summary>What an ADD does for its Pod's parent: makes it if it is missing. Gives its index; null if the ADD fails.</summary>
    int? Ensure(ParentLink parent, int? mtu);

    /// <summary>Puts a Pod's interface on a link; it is in the Pod's own namespace.</summary>
    void AddChild(int parent, int pod);

    /// <summary>Whether a Pod's interface is there.</summary>
    bool HasChild(int pod);

    void DeleteChild(int pod);
}
