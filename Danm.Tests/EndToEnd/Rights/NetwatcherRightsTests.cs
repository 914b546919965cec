using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>Netwatcher's rights: with VxLANs that flood by unicast in one mode, by multicast in the other.</summary>
[TestFixture("production"), TestFixture("lightweight"), Parallelizable]
public sealed class NetwatcherRightsTests(string mode) : RightsFixture(mode)
{
    private const string Account = "netwatcher";

    private readonly List<string> restored = [];

    [Test]
    public async Task Each_right_is_needed_and_all_are_enough()
    {
        await LoseAddressesAsync();
        await DeferReleasesAsync();
        var definitions = new Attachments(Node.Server);
        definitions.AddKind();
        definitions.Create("radio", """{"cniVersion":"0.3.1","name":"radio","type":"macvlan","vxlan":600,"master":"parent0"}""", Namespace);
        OwnNetwork("own", """{"NetworkID":"own","Options":{"host_device":"parent0","vxlan":601}}""");
        Store.Create(Objects.Network("ClusterNetwork", "older", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":610}}"""));
        await Task.Delay(TimeSpan.FromSeconds(1.1));
        OwnNetwork("younger", """{"NetworkID":"same","Options":{"host_device":"parent0","vxlan":611}}""");

        LoseAnswerOfEvent();

        await using var watcher = Start("netwatcher");
        await watcher.UntilReadyAsync();
        await Node.EventuallyAsync("ip -o link show type vxlan", t => t.Should().Contain("vx_radio").And.Contain("vx_own").And.Contain("vx_same", watcher.Log));
        await Eventually.HoldsAsync(() => definitions.Written.Should().Be(1));
        await Eventually.HoldsAsync(() => Warnings("younger").Should().Be(2, "it cannot have the older one's interface"));
        await Eventually.HoldsAsync(() => Store.List("danm.io/v1", "IPAllocation").Select(a => a.At("metadata", "name").String()).Should().BeEquivalentTo(restored, "what lives has its addresses again: {0}", watcher.Log));
        await Eventually.HoldsAsync(() => Store.Get("v1", "Pod", Namespace, "living").At("metadata", "annotations", "k8s.v1.cni.cncf.io/network-status").Should().NotBeNull());
        await Eventually.HoldsAsync(() => WasAsked(Account, "get", "danmeps").Should().BeTrue("a release may wait for what nobody knows to be there: {0}", watcher.Log));
        ExpectNoComplaints(watcher, Account);
        await watcher.StopAsync();

        ExpectRightsOf(Account);
    }

    /// <summary>A living Pod whose IPAllocations somebody deletes. Their names are hashes, so only the networks tell what they were.</summary>
    private async Task LoseAddressesAsync()
    {
        await Node.ShellAsync("ip link add Parent_0 type bridge && ip link set Parent_0 up");
        Store.Create(Objects.Network("ClusterNetwork", "all", """{"NetworkID":"all","NetworkType":"macvlan","Options":{"host_device":"Parent_0","cidr":"10.1.0.0/24"}}"""));
        OwnNetwork("ours", """{"NetworkID":"ours","NetworkType":"macvlan","Options":{"host_device":"Parent_0","cidr":"10.2.0.0/24"}}""");
        await AttachAsync("living");
        foreach (var allocation in Store.List("danm.io/v1", "IPAllocation").Select(a => a.At("metadata", "name").String()!))
        {
            restored.Add(allocation);
            Store.Delete("danm.io/v1", "IPAllocation", null, allocation);
        }

        restored.Should().HaveCount(2).And.OnlyContain(n => n.Contains(".hash."));
    }

    /// <summary>An ADD that nobody answers whether its DanmEps came to be, and a DEL that may not delete.</summary>
    private async Task DeferReleasesAsync()
    {
        var gone = await AttachAsync("gone");
        Node.Server.Faults.Add(new Fault(Fault.On("create", "danmeps")) { DropBefore = true });
        var late = await Node.StartPodAsync(Objects.Pod("late", Interfaces, Namespace));
        (await Node.CallAsync(late.Call("ADD"))).ExitCode.Should().Be(1);
        Node.Server.Faults.Clear();
        Node.Server.Faults.Add(new Fault(Fault.On("delete")) { Answer = StatusException.Forbidden("not now") });
        (await Node.CallAsync(gone.Call("DEL"))).Succeeded();
        Node.Server.Faults.Clear();
        (await Node.JournalsAsync()).Count(j => j["Phase"].String() == "Deferred").Should().Be(2);
    }

    private string Interfaces => $$"""[{"clusterNetwork":"all","ip":"dynamic"},{"{{Mode.OwnNetworkKey}}":"ours","ip":"dynamic"}]""";

    private async Task<Sandbox> AttachAsync(string name)
    {
        var pod = await Node.StartPodAsync(Objects.Pod(name, Interfaces, Namespace));
        (await Node.CallAsync(pod.Call("ADD"))).Succeeded();
        return pod;
    }
}
