using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>DEL and GC without what they would like to have.</summary>
[TestFixture, Parallelizable]
public sealed class DelTests : GuestFixture
{
    private const string Interfaces = """
        [{"network":"del","ip":"dynamic","ip6":"dynamic","proutes":{"10.60.0.0/16":"10.30.0.254"},"proutes6":{"fd00:60::/64":"fd00:30::fe"}}]
        """;

    [OneTimeSetUp]
    public void MakeNetworks() => Network("DanmNet", "del", """{"cidr":"10.30.0.0/24","net6":"fd00:30::/64","rt_tables":30}""");

    [Test]
    public async Task Twice_and_of_an_unknown_container_is_a_success()
    {
        var pod = await AddAsync("twice", Interfaces);
        (await pod.DelAsync()).Succeeded().Stdout.Should().BeEmpty();
        (await pod.DelAsync()).Succeeded().Stdout.Should().BeEmpty();
        var unknown = await PodAsync("unknown", Interfaces);
        (await unknown.DelAsync()).Succeeded();
    }

    [Test]
    public async Task A_second_ADD_in_the_same_namespace_meets_nothing_of_the_first()
    {
        var pod = await AddAsync("again", Interfaces);
        (await pod.DelAsync()).Succeeded();
        (await pod.AddAsync()).Succeeded();
        // Without DEL in between it takes back what it made before.
        (await pod.AddAsync()).Succeeded();
        (await pod.CheckAsync()).Succeeded();
        Node.Objects("IPAllocation").Should().HaveCount(2);
        (await pod.DelAsync()).Succeeded();
    }

    [Test]
    public async Task Needs_no_namespace()
    {
        var unnamed = await AddAsync("unnamed", Interfaces);
        (await Node.CallAsync(unnamed.Call("DEL") with { Netns = null })).Succeeded();
        (await unnamed.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty("the journal knows the namespace");
        var gone = await AddAsync("gone", Interfaces);
        await gone.DeleteNamespaceAsync();
        (await gone.DelAsync()).Succeeded();
    }

    [Test]
    public async Task Needs_no_Pod_no_network_and_no_journal()
    {
        Network("DanmNet", "shortlived", """{"cidr":"10.31.0.0/24"}""");
        var pod = await AddAsync("shortlived", """[{"network":"shortlived","ip":"dynamic"}]""");
        Node.Server.Store.Delete("v1", "Pod", "default", pod.Name);
        Node.Server.Store.Delete("danm.io/v1", "DanmNet", "default", "shortlived");
        (await pod.DelAsync()).Succeeded();

        var forgotten = await AddAsync("forgotten", Interfaces);
        await HostAsync("rm -r /var/lib/cni/danm");
        Node.Server.Store.Delete("v1", "Pod", "default", forgotten.Name);
        (await forgotten.DelAsync()).Succeeded();
    }

    [Test]
    public async Task Without_the_API_server_is_a_success_that_the_next_call_completes()
    {
        var pod = await AddAsync("outage-1", Interfaces);
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await pod.DelAsync()).Succeeded();

        (await pod.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty();
        Node.Objects("IPAllocation").Should().HaveCount(2, "there was no way to release them");
        ((string?)(await Node.DeferredAsync()).Should().ContainSingle().Which["PodUid"]).Should().Be(pod.Uid);
        (await pod.DelAsync()).Succeeded();
        Node.Server.Faults.Clear();
        await NextCallAsync();
    }

    [Test]
    public async Task Without_the_API_server_and_the_journal_waits_for_the_one_or_for_the_namespaces_end()
    {
        var pod = await AddAsync("outage-2", Interfaces);
        await HostAsync("rm -r /var/lib/cni/danm");
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await pod.DelAsync()).Failed(11).Msg.Should().Contain("nothing is released");

        Node.Objects("IPAllocation").Should().HaveCount(2, "its interfaces may still send");
        await pod.DeleteNamespaceAsync();
        (await pod.DelAsync()).Succeeded();
        ((string?)(await Node.DeferredAsync()).Should().ContainSingle().Which["PodUid"]).Should().Be(pod.Uid);
        Node.Server.Faults.Clear();
        await NextCallAsync();
    }

    [Test]
    public async Task ADD_without_the_API_server_fails_and_makes_nothing()
    {
        var pod = await PodAsync("down", Interfaces);
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        (await pod.AddAsync()).Failed(11).Msg.Should().Contain("API server");
    }

    [Test]
    public async Task GC_frees_what_its_list_misses_and_nothing_of_another_config()
    {
        var pods = await Node.StartPodsAsync(((string[])["listed", "missing", "foreign"]).Select(n => Objects.Pod(n, Interfaces)));
        var (listed, missing, foreign) = (pods[0], pods[1], pods[2]);
        var adds = await Node.CallAllAsync([listed.Call("ADD"), missing.Call("ADD"), foreign.Call("ADD") with { Config = Config("other") }]);
        foreach (var add in adds)
            add.Succeeded();

        (await Node.CallAsync(Gc(null))).Succeeded();
        Node.Objects("DanmEp").Should().HaveCount(3, "without a list nobody says what is alive");

        (await Node.CallAsync(Gc(new JsonArray(new JsonObject { ["containerID"] = listed.ContainerId, ["ifname"] = "eth0" })))).Succeeded();
        Node.Objects("DanmEp").Select(e => (string)e["spec"]!["CID"]!).Should().BeEquivalentTo(listed.ContainerId, foreign.ContainerId);
        Node.Objects("IPAllocation").Should().HaveCount(4);
        (await missing.RunAsync("ip -o link show type ipvlan")).Should().BeEmpty();
        (await listed.CheckAsync()).Succeeded();

        (await Node.CallAsync(Gc(new JsonArray()))).Succeeded();
        Node.Objects("DanmEp").Should().ContainSingle().Which["spec"]!["CID"]!.ToString().Should().Be(foreign.ContainerId);
        (await foreign.DelAsync()).Succeeded();
    }

    private JsonObject Config(string name)
    {
        var config = Node.Config("1.1.0");
        config["name"] = name;
        return config;
    }

    private CniCall Gc(JsonArray? valid)
    {
        var config = Node.Config("1.1.0");
        if (valid is not null)
            config["cni.dev/valid-attachments"] = valid;
        return new CniCall("GC") { IfName = null, Config = config };
    }
}
