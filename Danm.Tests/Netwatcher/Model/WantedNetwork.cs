using Danm.Api;
using Danm.HostLinks;
using Danm.Networks;
using Danm.Netwatcher;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>A network object of a history, read as netwatcher reads it. Few names, ids and devices, so that they meet.</summary>
internal sealed class WantedNetwork
{
    private static readonly string[] Ids = ["a", "b", "c"];
    private static readonly int?[] Mtus = [null, null, 1400, 9000];

    private readonly int slot;
    private readonly string id, device;
    private readonly bool isVlan;
    private readonly int vni;
    private int? mtu;

    public WantedNetwork(int slot, ref int which, bool vlans, int created)
    {
        this.slot = slot;
        Created = created;
        Kind = LinkHistory.Digit(ref which, 4);
        id = Ids[LinkHistory.Digit(ref which, Ids.Length)];
        isVlan = LinkHistory.Digit(ref which, 2) == 0 && vlans;
        vni = 5 + LinkHistory.Digit(ref which, 2);
        // The third is what a network makes itself, the last is on no node.
        string[] devices = ["eth0", "eth1", "eth0", "eth1", vlans ? "a.5" : "vx_a", "ghost"];
        device = devices[LinkHistory.Digit(ref which, devices.Length)];
        mtu = Mtus[LinkHistory.Digit(ref which, Mtus.Length)];
    }

    /// <summary>DanmNet, TenantNetwork, ClusterNetwork, NetworkAttachmentDefinition.</summary>
    public int Kind { get; }

    public int Created { get; }

    public IReadOnlyList<WantedLink> Wishes => Kind == 3 ? AttachmentDefinition.Read(Definition).Wishes : [Wish];

    private string CreatedText => $"2026-01-01T{Created / 3600:00}:{Created / 60 % 60:00}:{Created % 60:00}Z";

    private WantedLink Wish => new($"{(NetworkKind)Kind}/n{slot}", ParentLink.Of(Network), mtu, CreatedText);

    private Network Network => new()
    {
        Spec = new NetworkSpec { NetworkId = id, Options = new NetworkOptions { HostDevice = device, Vlan = isVlan ? vni : null, Vxlan = isVlan ? null : vni } },
    };

    private NetworkAttachmentDefinition Definition => new()
    {
        Metadata = new ObjectMeta { Name = $"n{slot}", Namespace = "ns", CreationTimestamp = CreatedText },
        Spec = new NetworkAttachmentSpec { Config = $$"""{"name":"{{id}}","type":"macvlan","master":"{{device}}","{{(isVlan ? "vlan" : "vxlan")}}":{{vni}}}""" },
    };

    public void SetMtu(int which) => mtu = Mtus[which % Mtus.Length];
}
