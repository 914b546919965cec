using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>fakeipam gives a network's addresses to macvlan, called by a runtime that knows nothing of Kubernetes.</summary>
public sealed class PlainConflistTests : NetworkIpamFixture
{
    private const string Dual = """
        "cidr":"10.9.0.0/24","net6":"fd09::/64","routes":{"0.0.0.0/0":"10.9.0.254","10.50.0.0/16":"10.9.0.253"},"routes6":{"fd50::/64":"fd09::fe"}
        """;

    // All that Debian's macvlan speaks.
    [Test]
    public async Task A_container_comes_lives_and_goes_in_version([Values("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0")] string version)
    {
        Network(Dual);
        var runtime = Plain(List(version: version));
        var container = await ContainerAsync();

        var result = (await runtime.AddAsync(container)).Succeeded().Json;

        string[] addresses = version is "0.1.0" or "0.2.0"
            ? [(string)result["ip4"]!["ip"]!, (string)result["ip6"]!["ip"]!]
            : [.. result["ips"]!.AsArray().Select(i => (string)i!["address"]!)];
        addresses.Should().HaveCount(2);
        addresses[0].Should().StartWith("10.9.0.").And.EndWith("/24");
        addresses[1].Should().StartWith("fd09::").And.EndWith("/64");
        var interfaces = await container.RunAsync("ip -o address show dev eth0");
        interfaces.Should().Contain($" {addresses[0]} ").And.Contain($" {addresses[1]} ");
        (await container.RunAsync("ip route")).Should().Contain("default via 10.9.0.254 dev eth0").And.Contain("10.50.0.0/16 via 10.9.0.253 dev eth0");
        (await container.RunAsync("ip -6 route")).Should().Contain("fd50::/64 via fd09::fe dev eth0");
        if (version is "0.4.0" or "1.0.0")
            (await runtime.CheckAsync(container)).Succeeded().Stdout.Should().BeEmpty();

        (await runtime.DelAsync(container)).Succeeded().Stdout.Should().BeEmpty();
        (await runtime.DelAsync(container)).Succeeded("DEL is idempotent").Stdout.Should().BeEmpty();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task The_result_is_that_of_an_IPAM_plugin()
    {
        Network(Dual);
        var container = await ContainerAsync();

        var result = (await FakeIpamAsync(Call("ADD", container, List(version: "1.1.0")))).Succeeded().Json;

        ((string)result["cniVersion"]!).Should().Be("1.1.0");
        result["interfaces"].Should().BeNull("an IPAM plugin makes none");
        result["ips"]!.AsArray().Should().OnlyContain(i => i!["interface"] == null);
        result["ips"]!.AsArray().Select(i => (string?)i!["gateway"]).Should().Equal("10.9.0.254", null);
        result["routes"]!.AsArray().Select(r => $"{r!["dst"]} {r["gw"]}").Should().BeEquivalentTo("0.0.0.0/0 10.9.0.254", "10.50.0.0/16 10.9.0.253", "fd50::/64 fd09::fe");
        foreach (var name in Allocations())
        {
            var owner = OwnerOf(name);
            ((string?)owner["containerID"]).Should().Be(container.ContainerId);
            ((string?)owner["interface"]).Should().Be("eth0");
            (owner["pod"] ?? owner["namespace"] ?? owner["podUID"] ?? owner["danmEp"]).Should().BeNull("there is no Pod");
        }

        (await FakeIpamAsync(Call("STATUS", container, List(version: "1.1.0")) with { IfName = null })).Succeeded().Stdout.Should().BeEmpty();
        (await FakeIpamAsync(Call("CHECK", container, List(version: "1.1.0"), prevResult: result))).Succeeded().Stdout.Should().BeEmpty();
        (await FakeIpamAsync(Call("DEL", container, List(version: "1.1.0")))).Succeeded().Stdout.Should().BeEmpty();
        await ExpectNothingLeftAsync();
    }

    [TestCase(""" "cidr":"10.9.0.0/24" """, "10.9.0.")]
    [TestCase(""" "net6":"fd09::/64" """, "fd09::")]
    public async Task A_network_of_one_family_gives_an_address_of_that(string options, string prefix)
    {
        Network(options);

        AddressesOf(await FakeIpamAsync(Call("ADD", await ContainerAsync()))).Should().ContainSingle().Which.Should().StartWith(prefix);
    }

    [Test]
    public async Task Capability_arguments_ask_for_certain_addresses()
    {
        Network(Dual);
        var container = await ContainerAsync();

        var both = await Plain().AddAsync(container, (JsonObject)JsonNode.Parse("""{"ips":["10.9.0.77/32","fd09::77"]}""")!);

        AddressesOf(both).Should().Equal("10.9.0.77/24", "fd09::77/64");
        (await container.RunAsync("ip -o address show dev eth0")).Should().Contain(" 10.9.0.77/24 ").And.Contain(" fd09::77/64 ");
        var other = await ContainerAsync("other");
        (await Plain().AddAsync(other, (JsonObject)JsonNode.Parse("""{"ips":["10.9.0.77"]}""")!)).Failed(105)
            .Msg.Should().Contain("10.9.0.77").And.Contain("ClusterNetwork/radio").And.Contain($"container {container.ContainerId}");
        (await Plain().DelAsync(other)).Succeeded();
        Allocations().Should().HaveCount(2, "the other's IPv6 address went with its failed ADD");
    }

    [TestCase("""{"args":{"cni":{"ips":["10.9.0.78"]}}}""", "")]
    [TestCase("""{}""", "IgnoreUnknown=1;IP=10.9.0.78")]
    [TestCase("""{"args":{"cni":{"ips":["10.9.0.78/24"]}}}""", "IP=10.9.0.78,fd09::78")]
    public async Task So_do_args_and_CNI_ARGS(string config, string args)
    {
        Network(Dual);
        var call = Call("ADD", await ContainerAsync(), args: args);
        foreach (var (key, value) in JsonNode.Parse(config)!.AsObject().ToList())
            call.Config[key] = value!.DeepClone();

        AddressesOf(await FakeIpamAsync(call)).Should().HaveCount(2).And.Contain("10.9.0.78/24");
    }

    [TestCase("""{"network":"ClusterNetwork/none"}""", 102, "ClusterNetwork/none does not exist")]
    [TestCase("""{"network":"ClusterNetwork/default/radio"}""", 7, "has a namespace")]
    [TestCase("""{"network":"DanmNet/radio"}""", 7, "DanmNet/NAMESPACE/radio")]
    [TestCase("""{"network":"Pod/radio"}""", 7, "is not KIND/NAME")]
    [TestCase("""{"network":"/radio"}""", 7, "is not KIND/NAME")]
    [TestCase("""{"network":"ClusterNetwork/../radio"}""", 7, "is not KIND/NAME")]
    [TestCase("""{"network":7}""", 7, "ipam.network is '7'")]
    [TestCase("""{"network":"ClusterNetwork/radio","kubeconfig":null}""", 7, "ipam.kubeconfig")]
    [TestCase("""{"network":"ClusterNetwork/radio","kubeconfig":"/nowhere/kubeconfig"}""", 7, "/nowhere/kubeconfig")]
    [TestCase("""{"network":"ClusterNetwork/radio","kubeconfig":"relative"}""", 7, "ipam.kubeconfig 'relative'")]
    [TestCase("""{"network":"ClusterNetwork/radio","timeoutSeconds":0}""", 7, "ipam.timeoutSeconds '0'")]
    [TestCase("""{"network":"ClusterNetwork/radio","ips":[{"ipcidr":"10.9.0.5/24"}]}""", 7, "both ips and network")]
    public async Task What_ipam_says_wrongly_is_named(string ipam, int code, string says)
    {
        Network(Dual);
        var call = Call("ADD", await ContainerAsync());
        foreach (var (key, value) in JsonNode.Parse(ipam)!.AsObject().ToList())
            call.Config["ipam"]![key] = value?.DeepClone();

        (await FakeIpamAsync(call)).Failed(code).Msg.Should().Contain(says);
        await ExpectNothingLeftAsync();
    }

    [TestCase("""["10.9.0.300"]""", 7, "'10.9.0.300' is not an IP address")]
    [TestCase("""["10.9.0.7","10.9.0.8"]""", 7, "one address too many")]
    [TestCase("""["10.8.0.7"]""", 101, "outside the subnet 10.9.0.0/24 of ClusterNetwork/radio")]
    [TestCase("""["10.9.0.254"]""", 101, "reserved")]
    [TestCase("""["fd09::7"]""", 101, "ClusterNetwork/radio has no net6")]
    public async Task An_address_that_cannot_be_had_is_named(string ips, int code, string says)
    {
        Network(""" "cidr":"10.9.0.0/24","routes":{"0.0.0.0/0":"10.9.0.254"} """);
        var call = Call("ADD", await ContainerAsync());
        call.Config["runtimeConfig"] = new JsonObject { ["ips"] = JsonNode.Parse(ips) };

        (await FakeIpamAsync(call)).Failed(code).Msg.Should().Contain(says);
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task A_pool_that_is_exhausted_is_named_with_its_network()
    {
        Network(""" "cidr":"10.9.0.0/24","net6":"fd09::/64","allocation_pool":{"start":"10.9.0.10","end":"10.9.0.11"} """);
        AddressesOf(await FakeIpamAsync(Call("ADD", await ContainerAsync("first")))).Should().HaveCount(2);
        AddressesOf(await FakeIpamAsync(Call("ADD", await ContainerAsync("second")))).Should().HaveCount(2);

        var failed = (await Plain().AddAsync(await ContainerAsync("third"))).Failed(104);

        failed.Msg.Should().Contain("ClusterNetwork/radio").And.Contain("10.9.0.10-10.9.0.11");
        Allocations().Should().HaveCount(4, "its IPv6 address is free again");
        (await JournalsAsync()).Should().HaveCount(2);
    }

    [Test]
    public async Task An_ADD_that_is_repeated_gets_what_the_first_got()
    {
        Network(Dual);
        var container = await ContainerAsync();
        // Not where its name would lead it to.
        var asked = Call("ADD", container);
        asked.Config["runtimeConfig"] = new JsonObject { ["ips"] = new JsonArray("10.9.0.99", "fd09::99") };
        AddressesOf(await FakeIpamAsync(asked)).Should().Equal("10.9.0.99/24", "fd09::99/64");

        AddressesOf(await FakeIpamAsync(Call("ADD", container))).Should().Equal("10.9.0.99/24", "fd09::99/64");

        asked.Config["runtimeConfig"]!["ips"] = new JsonArray("10.9.0.98");
        AddressesOf(await FakeIpamAsync(asked)).Should().HaveCount(2).And.Contain("10.9.0.98/24");
        Allocations().Should().HaveCount(2, "what it does not want any more is free");
        (await FakeIpamAsync(Call("DEL", container))).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task Each_call_asks_the_API_server_for_no_more_than_it_must()
    {
        Network(Dual);
        var container = await ContainerAsync();
        var add = Call("ADD", container);
        add.Config["ipam"]!["nodeName"] = "node-9";

        var result = await AskedAsync(add, "get clusternetworks", "create ipallocations", "create ipallocations");
        foreach (var allocation in Node.Objects("IPAllocation"))
        {
            ((string?)allocation["spec"]!["nodeName"]).Should().Be("node-9");
            ((string?)allocation["metadata"]!["labels"]!["danm.io/node"]).Should().Be("node-9");
        }

        await AskedAsync(add, "get clusternetworks", "get ipallocations", "get ipallocations");
        await AskedAsync(Call("CHECK", container, prevResult: result.Json), "get ipallocations", "get ipallocations");
        await AskedAsync(Call("DEL", container), "delete ipallocations", "delete ipallocations");
        await AskedAsync(Call("DEL", container));

        async Task<CniOutcome> AskedAsync(CniCall call, params string[] requests)
        {
            Node.Server.Requests.Clear();
            var outcome = (await FakeIpamAsync(call)).Succeeded();
            Node.Server.Requests.All.Select(r => $"{r.Verb} {r.Resource}").Should().BeEquivalentTo(requests, "{0}", call.Command);
            return outcome;
        }
    }

    [Test]
    public async Task ADDs_of_one_interface_at_once_get_the_same()
    {
        Network(Dual);
        var container = await ContainerAsync();

        var added = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => FakeIpamAsync(Call("ADD", container))));

        added.Select(a => string.Join(' ', AddressesOf(a))).Distinct().Should().ContainSingle();
        Allocations().Should().HaveCount(2);
        (await FakeIpamAsync(Call("DEL", container))).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task CHECK_misses_an_address_that_somebody_freed_or_that_prevResult_does_not_have()
    {
        Network(Dual);
        var runtime = Plain();
        var container = await ContainerAsync();
        var result = (await runtime.AddAsync(container)).Succeeded().Json;
        var other = (JsonObject)result.DeepClone();
        other["ips"]![0]!["address"] = "10.9.0.250/24";
        (await FakeIpamAsync(Call("CHECK", container, prevResult: other))).Failed(110).Msg.Should().Contain((string)result["ips"]![0]!["address"]!);
        (await FakeIpamAsync(Call("CHECK", container))).Failed(7).Msg.Should().Contain("prevResult is missing");
        (await FakeIpamAsync(Call("CHECK", await ContainerAsync("unknown"), prevResult: result))).Failed(3);

        var freed = Allocations()[0];
        Node.Server.Store.Delete("danm.io/v1", "IPAllocation", null, freed);
        (await runtime.CheckAsync(container)).Failed(110).Msg.Should().Contain($"{freed} is missing");

        var usurper = await ContainerAsync("usurper");
        Node.Server.Store.Create(JsonNode.Parse($$"""
            {"apiVersion":"danm.io/v1","kind":"IPAllocation","metadata":{"name":"{{freed}}"},
             "spec":{"network":{"kind":"ClusterNetwork","name":"radio"},"address":"10.9.0.1/24","owner":{"containerID":"{{usurper.ContainerId}}","interface":"eth0"} } }
            """)!);
        (await runtime.CheckAsync(container)).Failed(110).Msg.Should().Contain($"{freed} is another's");
        (await runtime.DelAsync(container)).Succeeded();
        Allocations().Should().Equal([freed], "DEL frees nobody else's address");
    }

    [Test]
    public async Task DEL_needs_neither_network_nor_namespace_nor_an_ADD()
    {
        Network(Dual);
        var container = await ContainerAsync();
        AddressesOf(await FakeIpamAsync(Call("ADD", container))).Should().HaveCount(2);
        Node.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "radio");
        await container.DeleteNamespaceAsync();

        (await FakeIpamAsync(Call("DEL", container) with { Netns = null })).Succeeded();

        await ExpectNothingLeftAsync();
        (await FakeIpamAsync(Call("DEL", await ContainerAsync("unknown")))).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [TestCase("fakeipam")]
    [TestCase("danm")]
    public async Task DEL_without_the_API_server_is_completed_by_the_next_call_of(string plugin)
    {
        Network(Dual);
        var runtime = Plain();
        var container = await ContainerAsync();
        (await runtime.AddAsync(container)).Succeeded();
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await runtime.DelAsync(container)).Succeeded();

        (await container.RunAsync("ip -o link")).Should().NotContain("eth0");
        var left = Allocations();
        left.Should().HaveCount(2, "there was no way to release them");
        ClaimsOf(await JournalsAsync()).Should().BeEquivalentTo(left);

        Node.Server.Faults.Clear();
        if (plugin == "fakeipam")
            await NextCallAsync();
        else
            (await Node.CallAsync(new CniCall("DEL") { ContainerId = "unknown", Config = Node.Config() })).Succeeded();
        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task ADD_without_the_API_server_says_so_and_leaves_nothing()
    {
        Network(Dual);
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await Plain().AddAsync(await ContainerAsync())).Failed(11).Msg.Should().Contain("API server");

        await ExpectNothingLeftAsync();
    }

    [Test]
    public async Task Its_own_time_out_ends_an_ADD_that_the_API_server_does_not_answer()
    {
        Network(Dual);
        var silent = new TaskCompletionSource();
        Node.Server.Faults.Add(new Fault(Fault.On("create", "ipallocations")) { Hold = () => silent.Task });
        var call = Call("ADD", await ContainerAsync());
        call.Config["ipam"]!["timeoutSeconds"] = 1;

        (await FakeIpamAsync(call)).Failed(11);

        var journals = await JournalsAsync();
        ClaimsOf(journals).Should().NotBeEmpty("the creates may still be carried out");
        silent.SetResult();
        await PassTimeAsync(MayStillCome);
        await NextCallAsync();
        await NextCallAsync();
        await ExpectNothingLeftAsync();
    }

    [TestCase("plain")]
    [TestCase("Pod")]
    public async Task DEL_with_a_damaged_journal_finds_the_addresses_by_their_owner(string kind)
    {
        Network(Dual);
        var args = kind == "Pod" ? "K8S_POD_NAMESPACE=default;K8S_POD_NAME=a;K8S_POD_UID=11111111-2222-3333-4444-555555555555" : "";
        var container = await ContainerAsync();
        AddressesOf(await FakeIpamAsync(Call("ADD", container, args: args))).Should().HaveCount(2);
        var others = AddressesOf(await FakeIpamAsync(Call("ADD", container, ifName: "eth1", args: args)));
        await Node.ShellAsync("""for f in $(grep -l '"Interface":"eth0"' /var/lib/cni/danm/addresses/sandboxes/*); do echo '{"ContainerId":' >$f; done""");
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        (await FakeIpamAsync(Call("DEL", container, args: args))).Failed(11).Msg.Should().Contain("damaged");
        Node.Server.Faults.Clear();

        (await FakeIpamAsync(Call("DEL", container, args: args))).Succeeded();

        Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["address"]!).Should().BeEquivalentTo(others);
        (await JournalsAsync()).Should().ContainSingle();
    }

    // The answer to a create is lost: whether it was carried out, nobody knows.
    [Test]
    public async Task A_create_without_an_answer_is_found_by_its_owner()
    {
        Network(Dual);
        var fault = new Fault(Fault.On("create", "ipallocations")) { Count = 2, DropAfter = true };
        Node.Server.Faults.Add(fault);
        var container = await ContainerAsync();

        AddressesOf(await FakeIpamAsync(Call("ADD", container))).Should().HaveCount(2);

        fault.Hits.Should().Be(2);
        Allocations().Should().HaveCount(2);
        (await FakeIpamAsync(Call("DEL", container))).Succeeded();
        Allocations().Should().BeEmpty();
    }

    [Test]
    public async Task GC_frees_what_the_list_does_not_have_and_nothing_of_other_configurations()
    {
        Network(Dual);
        var list = List(version: "1.1.0");
        var alive = await ContainerAsync("alive");
        var dead = await ContainerAsync("dead");
        var kept = AddressesOf(await FakeIpamAsync(Call("ADD", alive, list)));
        AddressesOf(await FakeIpamAsync(Call("ADD", alive, list, "eth1"))).Should().HaveCount(2);
        AddressesOf(await FakeIpamAsync(Call("ADD", dead, list))).Should().HaveCount(2);
        var others = AddressesOf(await FakeIpamAsync(Call("ADD", dead, List(version: "1.1.0", name: "other"), "eth2")));
        var gc = Call("GC", alive, list) with { IfName = null, ContainerId = "", Netns = null };

        (await FakeIpamAsync(gc)).Succeeded("without a list, nobody says what is alive");
        Allocations().Should().HaveCount(8);

        gc.Config["cni.dev/valid-attachments"] = new JsonArray(new JsonObject { ["containerID"] = alive.ContainerId, ["ifname"] = "eth0" });
        (await FakeIpamAsync(gc)).Succeeded().Stdout.Should().BeEmpty();

        Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["address"]!).Should().BeEquivalentTo(kept.Concat(others));
        (await JournalsAsync()).Should().HaveCount(2);
    }

    [Test]
    public async Task STATUS_misses_a_kubeconfig_without_asking_the_API_server()
    {
        var list = List(version: "1.1.0");
        var status = Call("STATUS", new Sandbox(Node, "default", "none", ""), list) with { IfName = null, ContainerId = "", Netns = null };
        Node.Server.Requests.Clear();
        (await FakeIpamAsync(status)).Succeeded();
        Node.Server.Requests.All.Should().BeEmpty();

        status.Config["ipam"]!["kubeconfig"] = "/nowhere/kubeconfig";
        (await FakeIpamAsync(status)).Failed(50).Msg.Should().Contain("/nowhere/kubeconfig");
    }
}
