using System.Text.Json;
using Danm.Api;
using Danm.Doctor;
using Danm.Doctor.Cluster;

namespace Danm.Tests.Doctor;

public class EndpointCensusTests
{
    private static readonly Guid Alive = Guid.NewGuid(), Gone = Guid.NewGuid(), Later = Guid.NewGuid();

    [Test]
    public void Pods_and_nodes_that_are_gone_are_counted_and_those_that_came_meanwhile_are_not()
    {
        var census = Census();
        census.Add(Endpoint(Alive, "node-1", "10.0.0.1/24"));
        census.Add(Endpoint(Gone, "node-1", "10.0.0.2/24"));
        census.Add(Endpoint(Later, "node-9", "10.0.0.3/24"));
        census.Acquit(Later);

        census.Count.Should().Be(3);
        census.WithoutPod.Keys.Should().Equal(Gone);
        census.OfGoneNodes.Should().Equal(new Dictionary<string, int> { ["node-9"] = 1 });
        census.Twice.Should().BeEmpty();
    }

    [TestCase("10.0.0.1/24", "10.0.0.1", true, Description = "with and without prefix")]
    [TestCase("fd00::1/64", "fd00:0::1/64", true, Description = "two spellings")]
    [TestCase("10.0.0.1/24", "::10.0.0.1", false, Description = "another family")]
    [TestCase("none", "none", false)]
    [TestCase("", "", false)]
    [TestCase("\u001b[31m", "\u001b[31m", false)]
    public void An_address_of_two_is_seen_however_it_is_spelled(string one, string two, bool expected)
    {
        var census = Census();
        census.Add(Endpoint(Alive, "node-1", one));
        census.Add(Endpoint(Alive, "node-1", two));

        census.Twice.Should().HaveCount(expected ? 1 : 0);
    }

    [Test]
    public void Networks_of_one_wire_share_addresses_and_others_do_not()
    {
        var census = Census();
        census.Add(Endpoint(Alive, "node-1", "10.0.0.1", "a"));
        census.Add(Endpoint(Alive, "node-1", "10.0.0.1", "other-wire"));
        census.Twice.Should().BeEmpty();
        census.Add(Endpoint(Alive, "node-1", "10.0.0.1", "b"));
        census.Twice.Should().ContainSingle().Which.Network.Name.Should().Be("b");
        census.Add(Endpoint(Alive, "node-1", "10.0.0.1", "deleted"));
        census.Twice.Should().ContainSingle();
    }

    private static EndpointCensus Census() => new(
        new StoredNetworks([Network("a", "ens4"), Network("b", "ens4"), Network("other-wire", "ens5")], []), new HashSet<string> { "node-1" }, new HashSet<Guid> { Alive }, most: 10);

    private static Network Network(string name, string device) => new()
    {
        Kind = NetworkKind.ClusterNetwork, Metadata = new ObjectMeta { Name = name }, Spec = new NetworkSpec { NetworkId = name, Options = new NetworkOptions { HostDevice = device } },
    };

    private static Document Endpoint(Guid podUid, string node, string address, string network = "a") => new(JsonSerializer.SerializeToElement(
        new DanmEp
        {
            Metadata = new ObjectMeta { Name = "e", Namespace = "default" },
            Spec = new DanmEpSpec { NetworkName = network, ApiType = "ClusterNetwork", Pod = "p", PodUid = podUid.ToString(), NodeName = node, Interface = new DanmEpInterface { Address = address } },
        },
        ApiJson.Default.DanmEp));
}
