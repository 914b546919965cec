using Danm.Api;
using Danm.Networks;
using Danm.Tenants;

namespace Danm.Tests.Tenants;

/// <summary>VNIAllocations and stored TenantNetworks: what is wrong between them.</summary>
public sealed class VniRulesTests
{
    private const string Old = "2026-01-01T00:00:00Z", New = "2026-01-02T00:00:00Z";

    /// <summary>What is said of one: <c>unused NAME</c>, <c>missing NETWORK</c>, <c>misnamed NAME to NETWORK</c>, <c>conflict OLDER YOUNGER</c>, <c>odd NAME</c>.</summary>
    private static IEnumerable<TestCaseData> Cases()
    {
        yield return Case("all is well", [Allocation()], [Net("a")]);
        yield return Case("nothing there", [], []);
        yield return Case("nobody has the id", [Allocation()], [], "unused vlan500.ens4");
        yield return Case("the network has another id", [Allocation()], [Net("a", vlan: 501)], "unused vlan500.ens4", "missing a");
        yield return Case("the network is on another device", [Allocation()], [Net("a", device: "ens5")], "unused vlan500.ens4", "missing a");
        yield return Case("the network has the id as a VxLAN", [Allocation()], [Net("a", vlan: null, vxlan: 500)], "unused vlan500.ens4", "missing a");
        yield return Case("the network has none", [], [Net("a", vlan: null)]);
        yield return Case("a device pool", [Allocation("vlan500.pool:vendor.io/vf", "vendor.io/vf", name: "hash.")], [], "odd hash.");
        yield return Case("a device pool, well named", [OfPool("vendor.io/vf")], [Net("a", device: null, pool: "vendor.io/vf")]);
        yield return Case("its name is not known yet", [Allocation(network: "")], [Net("a")], "misnamed vlan500.ens4 to a");
        yield return Case("it names nobody", [Allocation(network: null)], [Net("a")], "misnamed vlan500.ens4 to a");
        yield return Case("it names another one, which has none", [Allocation(network: "b")], [Net("a"), Net("b", vlan: null)], "misnamed vlan500.ens4 to a");
        yield return Case("it names one of that name in another namespace", [Allocation()], [Net("a", ns: "other")], "misnamed vlan500.ens4 to a");
        yield return Case("it names a ClusterNetwork", [Allocation(kind: NetworkKind.ClusterNetwork)], [Net("a")], "misnamed vlan500.ens4 to a");
        yield return Case("it names one that is gone, and nobody has the id", [Allocation(network: "b")], [], "unused vlan500.ens4");
        yield return Case("two have the id", [Allocation()], [Net("b", created: New, uid: "1"), Net("a", created: Old, uid: "2")], "conflict a b");
        yield return Case("two of one second have the id", [Allocation()], [Net("b", uid: "2"), Net("a", uid: "1")], "conflict a b");
        yield return Case("two have the id, and it names the younger", [Allocation(network: "b")], [Net("a"), Net("b", created: New)], "misnamed vlan500.ens4 to a", "conflict a b");
        yield return Case("three have the id, and it is missing", [], [Net("c", uid: "3"), Net("a", uid: "1"), Net("b", uid: "2")], "missing a", "conflict a b", "conflict a c");
        yield return Case("one is migrated and unused", [Imported(Allocation())], []);
        yield return Case("one is migrated and names another", [Imported(Allocation(network: "b"))], [Net("a")], "misnamed vlan500.ens4 to a");
        yield return Case("it is being deleted", [Deleted(Allocation())], []);
        yield return Case("its network is being deleted", [Allocation()], [Deleted(Net("a"))]);
        yield return Case("its type is unknown", [Allocation(type: "qinq")], [], "odd vlan500.ens4");
        yield return Case("its id is none", [Allocation(vni: 0)], [], "odd vlan500.ens4");
        yield return Case("it names no device", [Allocation(device: "")], [], "odd vlan500.ens4");
        yield return Case("its name is another id's", [Allocation(vni: 501)], [Net("b", vlan: 501)], "odd vlan500.ens4", "missing b");
        yield return Case("an odd one has the name of an id in use", [Allocation(vni: 501)], [Net("a")], "odd vlan500.ens4");
        yield return Case("its network's type is static now", [Allocation()], [Net("a", type: "bridge")]);
        yield return Case("a network of a static type is no reason to make one", [], [Net("a", type: "bridge")]);
        yield return Case("a network of a static type is not whom it names", [Allocation(network: "b")], [Net("a", type: "bridge")]);
    }

    [TestCaseSource(nameof(Cases))]
    public void Are_compared_by_id_and_never_by_name(VNIAllocation[] allocations, Network[] networks, string[] expected)
    {
        var plan = VniRules.Decide(allocations, networks);

        string[] said =
        [
            .. plan.Unused.Select(a => $"unused {a.Metadata.Name}"),
            .. plan.Missing.Select(m => $"missing {m.Network.Metadata.Name}"),
            .. plan.Misnamed.Select(m => $"misnamed {m.Allocation.Metadata.Name} to {m.Network.Metadata.Name}"),
            .. plan.Conflicts.Select(c => $"conflict {c.Older.Metadata.Name} {c.Younger.Metadata.Name}"),
            .. plan.Odd.Select(o => $"odd {o.Allocation.Metadata.Name}"),
        ];
        said.Should().BeEquivalentTo(expected);
    }

    private static TestCaseData Case(string what, VNIAllocation[] allocations, Network[] networks, params string[] expected) =>
        new TestCaseData(allocations, networks, expected).SetArgDisplayNames(what);

    private static VNIAllocation Allocation(
        string text = "vlan500.ens4", string device = "ens4", string type = "vlan", int vni = 500, string? network = "a", NetworkKind kind = NetworkKind.TenantNetwork, string? name = null) => new()
    {
        Metadata = new ObjectMeta { Name = name ?? text },
        Spec = new VNIAllocationSpec { Device = device, VniType = type, Vni = vni, Network = network is null ? null : new NetworkRef(kind, "default", network) },
    };

    private static VNIAllocation OfPool(string pool) => Allocation(device: pool, name: new Vni(pool, Encapsulation.Vlan, 500).AllocationName);

    private static VNIAllocation Imported(VNIAllocation allocation)
    {
        allocation.Metadata.Annotations = new() { ["danm.io/imported"] = "true" };
        return allocation;
    }

    private static T Deleted<T>(T item)
        where T : IApiObject
    {
        item.Metadata.DeletionTimestamp = New;
        return item;
    }

    // As items of a list come: without a kind.
    private static Network Net(
        string name, string? device = "ens4", string? pool = null, int? vlan = 500, int? vxlan = null, string type = "ipvlan", string ns = "default", string created = Old, string uid = "u") => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = ns, CreationTimestamp = created, Uid = uid },
        Spec = new NetworkSpec { NetworkId = "n", NetworkType = type, Options = new NetworkOptions { HostDevice = device, DevicePool = pool, Vlan = vlan, Vxlan = vxlan } },
    };
}
