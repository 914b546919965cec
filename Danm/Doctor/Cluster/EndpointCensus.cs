using System.Net.Sockets;
using Danm.Api;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Doctor.Cluster;

/// <summary>Counts DanmEps as their pages come. For each it holds an address and a number; more only for what looks wrong.</summary>
/// <param name="networks">The networks, to know which addresses are of one wire.</param>
/// <param name="nodes">The Nodes that exist.</param>
/// <param name="pods">The Pods that exist.</param>
/// <param name="most">How many suspects are held; further ones are left out.</param>
internal sealed class EndpointCensus(StoredNetworks networks, IReadOnlySet<string> nodes, IReadOnlySet<Guid> pods, int most)
{
    private const int MostTwice = 100, MostNodes = 1000;

    private readonly Dictionary<NetworkRef, int> wires = WiresOf(networks);
    private readonly HashSet<(int Wire, bool IsIPv6, UInt128 Address)> seen = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Those whose Pod was not there, by its UID.</summary>
    public Dictionary<Guid, List<string>> WithoutPod { get; } = [];

    /// <summary>How many are of nodes that are not there.</summary>
    public Dictionary<string, int> OfGoneNodes { get; } = [];

    /// <summary>Addresses that a second one has on the same wire.</summary>
    public List<(string Address, NetworkRef Network, string Pod)> Twice { get; } = [];

    /// <summary>Takes a DanmEp.</summary>
    public void Add(Document endpoint)
    {
        Count++;
        var spec = endpoint["spec"];
        var pod = $"{endpoint.Namespace}/{spec["Pod"].Text}";
        if (Guid.TryParse(spec["PodUID"].Text, out var uid) && !pods.Contains(uid) && (WithoutPod.Count < most || WithoutPod.ContainsKey(uid)))
        {
            if (!WithoutPod.TryGetValue(uid, out var names))
                WithoutPod[uid] = names = [];
            names.Add(pod);
        }

        // Without a node's name nobody can say that it is gone.
        if (spec["nodeName"].Text is { Length: > 0 } node && !nodes.Contains(node) && (OfGoneNodes.Count < MostNodes || OfGoneNodes.ContainsKey(node)))
            OfGoneNodes[node] = OfGoneNodes.GetValueOrDefault(node) + 1;
        if (!NetworkKinds.TryParse(spec["apiType"].Text, out var kind))
            return;
        var network = new NetworkRef(kind, kind.IsNamespaced() ? endpoint.Namespace : null, spec["NetworkName"].Text);
        if (!wires.TryGetValue(network, out var wire))
            return;
        foreach (var text in (string[])[spec["Interface"]["Address"].Text, spec["Interface"]["AddressIPv6"].Text])
        {
            // Free text: an address with or without a prefix, or a word.
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (CidrAddress.TryParseAddress(slash < 0 ? text : text[..slash], out var address) && !seen.Add((wire, address.AddressFamily == AddressFamily.InterNetworkV6, CidrAddress.ToValue(address))) && Twice.Count < MostTwice)
                Twice.Add((address.ToString(), network, pod));
        }
    }

    /// <summary>Takes a Pod of the second look.</summary>
    public void Acquit(Guid pod) => WithoutPod.Remove(pod);

    private static Dictionary<NetworkRef, int> WiresOf(StoredNetworks networks)
    {
        var (numbers, wires) = (new Dictionary<string, int>(), new Dictionary<NetworkRef, int>());
        foreach (var network in networks.Items)
        {
            if (Segment.TextOf(network) is not { } text)
                continue;
            if (!numbers.TryGetValue(text, out var number))
                numbers[text] = number = numbers.Count;
            wires[network.Ref] = number;
        }

        return wires;
    }
}
