using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd;

/// <summary>What one attachment takes of etcd, by the objects that the executable makes; docs/ipam.md has the sum for a cluster.</summary>
public sealed class StoredBytesTests : HostFixture
{
    [Test]
    public async Task An_attachment_with_both_families_takes_less_than_4_KB_of_etcd()
    {
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "n6-internet", """
            {"NetworkID":"n6","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/16","net6":"fd01::/64"}}
            """));
        var labels = new JsonObject { ["app.kubernetes.io/name"] = "upf", ["app.kubernetes.io/instance"] = "upf-west", ["pod-template-hash"] = "5d8f7c9b6d" };
        var pod = await Node.StartPodAsync(Objects.Pod("upf-west-5d8f7c9b6d-x7k2p", """[{"clusterNetwork":"n6-internet","ip":"dynamic","ip6":"dynamic"}]""", labels: labels));

        // A runtime's ids are as long.
        var id = new string('c', 64);
        var call = pod.Call("ADD");
        (await Node.CallAsync(call with { ContainerId = id, Args = call.Args.Replace(pod.ContainerId, id) })).Succeeded();

        var addresses = Node.Objects("IPAllocation").Select(o => EtcdRecord.Of(o, "ipallocations", "danm")).OrderBy(r => r.Key.Length).ToList();
        var endpoint = EtcdRecord.Of(Node.Objects("DanmEp").Single(), "danmeps", "danm");
        TestContext.Out.WriteLine($"IPAllocation {addresses[0].Bytes} B (IPv4), {addresses[1].Bytes} B (IPv6); DanmEp {endpoint.Bytes} B");
        TestContext.Out.WriteLine($"{addresses[0].Key}\n{addresses[0].Value}\n{endpoint.Key}\n{endpoint.Value}");
        addresses[0].Key.Should().MatchRegex(@"^/registry/danm\.io/ipallocations/10-1-\d+-\d+\.untagged\.parent0$");
        endpoint.Key.Should().MatchRegex("^/registry/danm[.]io/danmeps/default/[0-9a-f-]{36}$");
        addresses[0].Value.At("metadata", "managedFields")![0]!["fieldsV1"]!.ToJsonString().Should().Be(
            """{"f:metadata":{"f:labels":{".":{},"f:danm.io/segment":{},"f:danm.io/network":{},"f:danm.io/pod-uid":{},"f:danm.io/node":{}}},"f:spec":{}}""");
        endpoint.Value.At("metadata", "managedFields")![0]!["fieldsV1"]!["f:spec"]!.ToJsonString().Should().Be("{}", "the spec is atomic");
        addresses.Should().OnlyContain(r => r.Bytes < 1400);
        endpoint.Bytes.Should().BeLessThan(1900);
        (addresses.Sum(r => r.Bytes) + endpoint.Bytes).Should().BeLessThan(4096);
    }
}
