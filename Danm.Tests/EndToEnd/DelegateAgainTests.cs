using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>What a kubelet does on ordinary days: ADD after ADD, after a reboot, for a Pod of an old name, for a static Pod.</summary>
[TestFixture]
public sealed class DelegateAgainTests : ScriptedDelegateFixture
{
    private const string Interfaces = """[{"network":"mv","ip":"10.1.0.9","ip6":"dynamic"},{"network":"br"}]""";

    private const string Bridge = """
        {"cniVersion":"1.0.0","name":"br-net","type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}
        """;

    [SetUp]
    public async Task MakeNetworks()
    {
        await Node.ShellAsync("ip link delete br0 2>/dev/null; true");
        MacvlanNetwork();
        await FileAsync("br.conf", Bridge);
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge"}"""));
    }

    [Test]
    public async Task An_ADD_without_a_DEL_in_between_takes_the_place_of_the_one_before()
    {
        var pod = await PodAsync(Interfaces);
        (await AddAsync(pod)).Succeeded();

        (await AddAsync(pod)).Succeeded();

        await ExpectOneOfEachAsync(pod);
        (await Node.CallAsync(Call(pod, "CHECK"))).Succeeded();
        (await DelAsync(pod)).Succeeded();
        await ExpectNothingAndNoLeaseAsync(pod);
    }

    [Test]
    public async Task An_ADD_after_one_that_failed_meets_nothing_of_it()
    {
        await DelegateAsync("moody", $"[ -e /run/calls/better ] && {MakeInterface}");
        var pod = await PodAsync("""[{"network":"mv","ip":"10.1.0.9"},{"network":"br"},{"network":"moody"}]""");
        (await AddAsync(pod)).Failed(111).Msg.Should().Contain("'moody'");
        await ExpectNothingAndNoLeaseAsync(pod);
        await Node.ShellAsync("touch /run/calls/better");

        (await AddAsync(pod)).Succeeded();

        (await DelAsync(pod)).Succeeded();
        await ExpectNothingAndNoLeaseAsync(pod);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task After_a_reboot_the_new_sandbox_gets_what_the_old_one_had(bool withJournal)
    {
        var old = await PodAsync(Interfaces);
        (await AddAsync(old)).Succeeded();
        await old.DeleteNamespaceAsync();
        if (!withJournal)
            await Node.ShellAsync("rm -r /var/lib/cni/danm");
        var pod = await old.AgainAsync();

        var result = (await AddAsync(pod)).Succeeded().Json;

        result["ips"]!.AsArray().Select(i => (string)i!["address"]!).Should().Contain("10.1.0.9/24");
        await ExpectOneOfEachAsync(pod);
        (await DelAsync(old)).Succeeded();
        await ExpectOneOfEachAsync(pod);
        (await DelAsync(pod)).Succeeded();
        await ExpectNothingAndNoLeaseAsync(pod);
    }

    [Test]
    public async Task A_Pod_of_an_old_name_is_attached_while_the_old_sandbox_lives_whose_DEL_takes_nothing_of_it()
    {
        var old = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"br"}]""");
        (await AddAsync(old)).Succeeded();
        Node.Server.Store.Delete("v1", "Pod", "default", old.Name);
        var pod = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"br"}]""");
        (await AddAsync(old)).Failed(11).Msg.Should().Contain("re-created");

        (await AddAsync(pod)).Succeeded();

        Node.Objects("DanmEp").Should().HaveCount(4, "the old sandbox still lives");
        (await DelAsync(old)).Succeeded();
        (await pod.RunAsync("ip -o address show scope global")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(2);
        (await LeasesAsync()).Should().ContainSingle();
        Node.Objects("IPAllocation").Should().ContainSingle();
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Should().Equal(pod.ContainerId, pod.ContainerId);
        (await DelAsync(pod)).Succeeded();
        await ExpectNothingAndNoLeaseAsync(pod);
    }

    /// <summary>The runtime knows a static Pod by the uid that kubelet gave it; the API has its mirror, under another.</summary>
    [Test]
    public async Task A_static_Pod_is_known_by_its_mirrors_annotation()
    {
        const string StaticUid = "5f3c1e0b7a";
        var mirror = Objects.Pod("static", Interfaces);
        mirror["metadata"]!["annotations"]!["kubernetes.io/config.mirror"] = StaticUid;
        var pod = await Node.StartPodAsync(mirror);
        CniCall Static(string command)
        {
            var call = Call(pod, command);
            return call with { Args = call.Args.Replace(pod.Uid, StaticUid) };
        }

        (await Node.CallAsync(Static("ADD"))).Succeeded();

        Node.Objects("DanmEp").Should().OnlyContain(e => (string)e["spec"]!["PodUID"]! == pod.Uid);
        (await Node.CallAsync(Static("CHECK"))).Succeeded();
        Node.Server.Store.Delete("v1", "Pod", "default", pod.Name);
        (await Node.CallAsync(Static("DEL"))).Succeeded();
        await ExpectNothingAndNoLeaseAsync(pod);
    }

    private async Task ExpectOneOfEachAsync(Sandbox pod)
    {
        (await LeasesAsync()).Should().ContainSingle();
        Node.Objects("IPAllocation").Should().HaveCount(2);
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Should().Equal(pod.ContainerId, pod.ContainerId);
        (await pod.RunAsync("ip -o address show scope global")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(3);
    }

    private async Task ExpectNothingAndNoLeaseAsync(Sandbox pod)
    {
        await ExpectNothingLeftAsync(pod);
        (await LeasesAsync()).Should().BeEmpty();
    }

    private async Task<string[]> LeasesAsync() =>
        (await Node.ShellAsync("ls /run/leases/br-net 2>/dev/null | grep '^10' || true")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
