using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>Debian's macvlan with fakeipam as its IPAM plugin, on a node where no danm has a part in it.</summary>
public abstract class NetworkIpamFixture : HostFixture
{
    /// <summary>DEL looks for a create that was cut off for as long as a server may still be at it.</summary>
    private protected static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    private protected static readonly string[] FakeIpam = [Path.Combine(DanmBinary.PluginFolder, "fakeipam")];

    private protected static readonly string[] Macvlan = ["/usr/lib/cni/macvlan"];

    /// <summary>A network on the host's <c>parent0</c>.</summary>
    private protected void Network(string options, string name = "radio", string kind = "ClusterNetwork", string? tenants = null, string ns = "default") => Node.Server.Store.Create(Objects.Network(
        kind, name, $$"""{"NetworkID":"{{name}}","NetworkType":"macvlan","AllowedTenants":{{tenants ?? "null"}},"Options":{"host_device":"parent0",{{options}} } }""", ns));

    /// <summary>The conflist of one plugin.</summary>
    private protected JsonObject List(string network = "ClusterNetwork/radio", string version = "1.0.0", string name = "plain") => new()
    {
        ["cniVersion"] = version,
        ["name"] = name,
        ["plugins"] = new JsonArray(new JsonObject
        {
            ["type"] = "macvlan",
            ["master"] = "parent0",
            ["mode"] = "bridge",
            ["capabilities"] = new JsonObject { ["ips"] = true },
            ["ipam"] = new JsonObject { ["type"] = "fakeipam", ["network"] = network, ["kubeconfig"] = Node.Kubeconfig },
        }),
    };

    /// <summary>A runtime that knows no Kubernetes.</summary>
    private protected LibcniDriver Plain(JsonObject? list = null, string ifName = "eth0") => new(Node, list ?? List()) { Args = "", IfName = ifName };

    /// <summary>A container of no Pod.</summary>
    private protected async Task<Sandbox> ContainerAsync(string name = "c")
    {
        var container = new Sandbox(Node, "default", name, "");
        await Node.ShellAsync($"ip netns add {container.NetnsName}");
        return container;
    }

    /// <summary>A call to fakeipam as macvlan makes it.</summary>
    private protected CniCall Call(string command, Sandbox container, JsonObject? list = null, string ifName = "eth0", string args = "", JsonNode? prevResult = null)
    {
        list ??= List();
        return new LibcniDriver(Node, list) { Args = args, IfName = ifName }.Call(command, (JsonObject)list["plugins"]![0]!, container, prevResult);
    }

    private protected Task<CniOutcome> FakeIpamAsync(CniCall call) => Node.CallAsync(call, FakeIpam);

    /// <summary>A call that has nothing to do but what earlier ones could not.</summary>
    private protected async Task NextCallAsync() =>
        (await FakeIpamAsync(new CniCall("DEL") { ContainerId = "unknown", Config = Call("DEL", new Sandbox(Node, "default", "unknown", "")).Config })).Succeeded();

    /// <summary>The addresses of a result of 0.3.0 or later.</summary>
    private protected static string[] AddressesOf(CniOutcome outcome) =>
        [.. outcome.Succeeded().Json["ips"]!.AsArray().Select(i => (string)i!["address"]!)];

    /// <summary>What the journals of addresses say.</summary>
    private protected async Task<IReadOnlyList<JsonObject>> JournalsAsync()
    {
        var lines = await Node.ShellAsync("for f in /var/lib/cni/danm/addresses/sandboxes/*; do [ -s $f ] && tail -n 1 $f; done; true");
        return [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (JsonObject)JsonNode.Parse(l)!)];
    }

    private protected static IEnumerable<string> ClaimsOf(IEnumerable<JsonObject> journals) =>
        journals.SelectMany(j => j["Claims"]?.AsArray() ?? []).Select(c => (string)c!["Name"]!);

    /// <summary>Makes the deferred releases older.</summary>
    private protected Task PassTimeAsync(TimeSpan time) => Node.ShellAsync(
        $$"""for f in /var/lib/cni/danm/addresses/sandboxes/*; do [ -e $f ] && perl -pi -e 's/"DeferredAt":(-?\d+)/"\"DeferredAt\":" . ($1 - {{(long)time.TotalMilliseconds}})/e' $f; done; true""");

    private protected IReadOnlyList<string> Allocations() => [.. Node.Objects("IPAllocation").Select(o => (string)o["metadata"]!["name"]!)];

    private protected JsonNode OwnerOf(string allocation) =>
        Node.Objects("IPAllocation").Single(o => (string)o["metadata"]!["name"]! == allocation)["spec"]!["owner"]!;

    private protected async Task ExpectNothingLeftAsync()
    {
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
    }
}
