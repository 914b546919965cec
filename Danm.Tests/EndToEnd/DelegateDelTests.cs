using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// DEL of a Pod with an interface whose addresses are Danm's (macvlan, both families) and one whose address is its plugin's own
/// (bridge and host-local, a script chained behind), in a world that has changed since ADD.
/// </summary>
[TestFixture, Parallelizable]
public sealed class DelegateDelTests : ScriptedDelegateFixture
{
    private const string Interfaces = """[{"network":"mv","ip":"dynamic","ip6":"dynamic"},{"network":"br"}]""";

    private const string Bridge = """
        {"cniVersion":"1.0.0","name":"br-net","plugins":[
          {"type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}},
          {"type":"behind","x-note":[1.50,"as it stands"]}]}
        """;

    private const string Journal = "/var/lib/cni/danm/sandboxes/*";

    private static readonly TimeSpan MayStillCome = TimeSpan.FromSeconds(91);

    private static readonly World[] Worlds =
    [
        new("as ADD left it"),
        new("whose namespace is gone") { Netns = Netns.Gone },
        new("whose namespace the runtime does not name") { Netns = Netns.Unnamed },
        new("whose Pod is deleted") { Objects = DeletePod },
        new("whose networks are deleted") { Objects = DeleteNetworks },
        new("whose networks and their files are deleted") { Objects = DeleteNetworks, Files = "rm -r /run/cni" },
        new("whose whole namespace is deleted in the API") { Objects = (node, pod) => { DeletePod(node, pod); DeleteNetworks(node, pod); DeleteEndpoints(node, pod); } },
        new("whose plugins are gone") { Path = "/run/nowhere", LeasesStay = true, Logs = "a delegate's DEL failed: its interface is removed by name" },
        new("whose journal is garbage") { Files = $"head -c 5000 /dev/urandom >$(echo {Journal})", Logs = "is damaged", IsRebuilt = true },
        new("whose journal is half a line") { Files = $"truncate -s 300 {Journal}", Logs = "is damaged", IsRebuilt = true },
        new("whose journal is empty") { Files = $"truncate -s 0 {Journal}", Logs = "its network object does", IsRebuilt = true },
        new("whose journal is somebody else's") { Files = $"chown 1000 {Journal}", Logs = "belongs to user 1000, not to root", IsRebuilt = true },
        new("whose journal others can write") { Files = $"chmod 666 {Journal}", Logs = "can be written by others than its owner", IsRebuilt = true },
        new("whose journal is missing") { Files = "rm -r /var/lib/cni/danm", Logs = "its network object does", IsRebuilt = true },
        new("whose journal and Pod are missing") { Objects = DeletePod, Files = "rm -r /var/lib/cni/danm", IsRebuilt = true },
        new("whose journal and namespace are gone") { Netns = Netns.Gone, Files = "rm -r /var/lib/cni/danm", IsRebuilt = true },
        new("whose journal and networks are missing") { Objects = DeleteNetworks, Files = "rm -r /var/lib/cni/danm", LeasesStay = true, Logs = "it is removed by name" },
    ];

    [SetUp]
    public async Task MakeNetworks()
    {
        await Node.ShellAsync("ip link delete br0 2>/dev/null; true");
        MacvlanNetwork();
        await FileAsync("br.conflist", Bridge);
        await DelegateAsync("behind", """jq -c .prevResult <<<"$config" """, del: "true");
        Node.Server.Store.Create(Objects.Network("DanmNet", "br", """{"NetworkID":"br","NetworkType":"bridge"}"""));
    }

    [TestCaseSource(nameof(Rows))]
    public async Task Leaves_nothing_of_a_sandbox(World world)
    {
        var pod = await AttachedAsync();
        world.Objects?.Invoke(Node, pod);
        await Node.ShellAsync(world.Files);
        if (world.Netns == Netns.Gone)
            await pod.DeleteNamespaceAsync();
        var call = Call(pod, "DEL");
        if (world.Netns == Netns.Unnamed)
            call = call with { Netns = null };
        if (world.Path is not null)
            call = call with { Path = world.Path };

        (await Node.CallAsync(call)).Succeeded().Stdout.Should().BeEmpty();

        await ExpectReleasedAsync(world.Netns == Netns.Gone ? null : pod, world.LeasesStay);
        if (world.Logs is not null)
            (await LogAsync()).Should().Contain(world.Logs);
        if (world.IsRebuilt)
            await ExpectConfigOfAddAsync();
        (await DelAsync(pod)).Succeeded();
        (await Node.StateAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task Of_a_container_that_nobody_knows_is_a_success()
    {
        var pod = await PodAsync(Interfaces);
        (await DelAsync(pod)).Succeeded();
        (await CallsAsync()).Should().BeEmpty();
        await ExpectNothingLeftAsync(pod);
    }

    [TestCase("return 1", 30, "a delegate's DEL failed", "ended with 1")]
    [TestCase("sleep 86399.75", 6, "a delegate's DEL failed", "did not end in time and was killed")]
    [TestCase("head -c 1G /dev/zero", 30, "a delegate's DEL failed", "wrote more than")]
    [TestCase("true", 30, "still there after its delegate's DEL", "")]
    public async Task Removes_by_name_what_a_delegate_does_not(string del, int timeout, string warning, string cause)
    {
        await DelegateAsync("stuck", MakeInterface, del);
        var pod = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"stuck"}]""");
        (await AddAsync(pod)).Succeeded();
        var call = Call(pod, "DEL");
        call.Config["timeoutSeconds"] = timeout;

        (await Node.CallAsync(call)).Succeeded();

        (await LogAsync()).Should().MatchRegex($"warning \"[^\"]*{warning}.*interface=\"eth1\" network=\"DanmNet/default/stuck\".*{cause}");
        await ExpectNoProcessAsync("86399.75");
        await ExpectNothingLeftAsync(pod);
    }

    [Test]
    public async Task Gives_the_lease_back_although_a_plugin_behind_it_hangs()
    {
        var pod = await AttachedAsync();
        await DelegateScriptAsync("behind", """jq -c .prevResult <<<"$config" """, del: "sleep 86399.25");
        var call = Call(pod, "DEL");
        call.Config["timeoutSeconds"] = 12;

        (await Node.CallAsync(call)).Succeeded();

        (await LeasesAsync()).Should().BeEmpty("bridge and host-local have their share of the time");
        (await LogAsync()).Should().MatchRegex("warning \"a delegate's DEL failed.*interface=\"eth1\".*'behind' DEL: it did not end in time and was killed");
        await ExpectNoProcessAsync("86399.25");
        await ExpectNothingLeftAsync(pod);
    }

    // Without a journal nothing names the interfaces; a namespace that is gone has none.
    [TestCase(true, Netns.Named)]
    [TestCase(false, Netns.Gone)]
    [TestCase(false, Netns.Unnamed)]
    public async Task Without_the_API_server_leaves_the_objects_to_the_next_call(bool withJournal, Netns netns)
    {
        var pod = await AttachedAsync();
        if (!withJournal)
            await Node.ShellAsync("rm -r /var/lib/cni/danm");
        if (netns != Netns.Named)
            await pod.DeleteNamespaceAsync();
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await Node.CallAsync(netns == Netns.Unnamed ? Call(pod, "DEL") with { Netns = null } : Call(pod, "DEL"))).Succeeded();

        Node.Objects("IPAllocation").Should().HaveCount(2);
        Node.Objects("DanmEp").Should().HaveCount(2);
        ((string?)(await Node.JournalsAsync()).Should().ContainSingle().Which["Phase"]).Should().Be("Deferred");
        if (withJournal)
        {
            await ExpectNoInterfaceAsync(pod);
            (await LeasesAsync()).Should().BeEmpty();
        }

        Node.Server.Faults.Clear();
        await NextCallAsync();
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        (await LeasesAsync()).Should().BeEmpty();
    }

    [Test]
    public async Task Without_the_API_server_and_the_journal_frees_nothing_of_a_namespace_that_lives()
    {
        var pod = await AttachedAsync();
        var leases = await LeasesAsync();
        await Node.ShellAsync("rm -r /var/lib/cni/danm");
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        (await DelAsync(pod)).Failed(11).Msg.Should().Contain("nothing is released");

        Node.Objects().Should().HaveCount(4);
        (await LeasesAsync()).Should().Be(leases);
        (await Node.StateAsync()).Should().BeEmpty();

        Node.Server.Faults.Clear();
        (await DelAsync(pod)).Succeeded();
        await ExpectReleasedAsync(pod, leasesStay: false);
    }

    [Test]
    public async Task On_a_full_disk_leaves_nothing_and_without_the_API_server_too_is_an_error()
    {
        await WithOwnDiskAsync(async pod =>
        {
            await Node.ShellAsync("dd if=/dev/zero of=/var/lib/cni/filler bs=4k 2>/dev/null; ! touch /var/lib/cni/more 2>/dev/null || ! echo x >/var/lib/cni/more 2>/dev/null; rm -f /var/lib/cni/more");
            await ExpectDelNeedsDiskOrServerAsync(pod);
            (await Node.ShellAsync("find /var/lib/cni/danm -type f ! -name counters")).Should().BeEmpty();
        });
    }

    [Test]
    public async Task On_a_read_only_disk_leaves_nothing_but_the_journal_and_without_the_API_server_too_is_an_error()
    {
        await WithOwnDiskAsync(async pod =>
        {
            await Node.ShellAsync("mount -o remount,ro /var/lib/cni");
            await ExpectDelNeedsDiskOrServerAsync(pod);
            (await LogAsync()).Should().Contain("all is released, but the journal stays");
            (await DelAsync(pod)).Succeeded();
            await Node.ShellAsync("mount -o remount,rw /var/lib/cni");
            (await DelAsync(pod)).Succeeded();
            (await Node.ShellAsync("find /var/lib/cni/danm -type f ! -name counters")).Should().BeEmpty();
        });
    }

    [Test]
    public async Task ADD_on_a_full_disk_fails_and_makes_nothing()
    {
        var pod = await PodAsync(Interfaces);
        await Node.ShellAsync("mkdir -p /var/lib/cni; mount -t tmpfs -o size=64k tmpfs /var/lib/cni; dd if=/dev/zero of=/var/lib/cni/filler bs=4k 2>/dev/null; true");
        try
        {
            (await AddAsync(pod)).Failed(5).Msg.Should().Contain("/var/lib/cni/danm").And.Contain("No space left on device");

            Node.Objects().Should().BeEmpty();
            await ExpectNoInterfaceAsync(pod);
            (await DelAsync(pod)).Succeeded();
            (await Node.ShellAsync("find /var/lib/cni/danm -type f ! -name counters")).Should().BeEmpty();
        }
        finally
        {
            await Node.ShellAsync("umount /var/lib/cni");
        }
    }

    [Test]
    public async Task ADD_whose_disk_fills_up_meanwhile_takes_back_what_it_made()
    {
        await DelegateAsync("filler", $"{MakeInterface}; dd if=/dev/zero of=/var/lib/cni/filler bs=4k 2>/dev/null; true");
        await Node.ShellAsync("mkdir -p /var/lib/cni; mount -t tmpfs -o size=256k tmpfs /var/lib/cni");
        try
        {
            var pod = await PodAsync("""[{"network":"mv","ip":"dynamic"},{"network":"br"},{"network":"filler"}]""");

            (await AddAsync(pod)).Failed(5).Msg.Should().Contain("No space left on device");

            Node.Objects().Should().BeEmpty();
            await ExpectNoInterfaceAsync(pod);
            (await LeasesAsync()).Should().BeEmpty();
            // One interface's failure cancels the others', and nobody knows what the server made of a create that had no answer yet.
            if (await LeftAsync() is { Length: > 0 } left)
            {
                left.Should().Contain("\"MayComeAgain\":true");
                await Node.ShellAsync("rm /var/lib/cni/filler");
                await Node.PassTimeAsync(TimeSpan.FromMinutes(10));
                (await DelAsync(pod)).Succeeded();
            }

            (await LeftAsync()).Should().BeEmpty();
        }
        finally
        {
            await Node.ShellAsync("umount /var/lib/cni");
        }

        Task<string> LeftAsync() => Node.ShellAsync("find /var/lib/cni/danm -type f ! -name counters -print -exec cat {} +");
    }

    /// <summary>What the original wrote: no annotation, no labels of ours, no nodeName, bare addresses, names of its own; and no IPAllocation.</summary>
    [Test]
    public async Task Serves_a_Pod_that_the_original_attached()
    {
        var pod = await AttachedAsync();
        await Node.ShellAsync("rm -r /var/lib/cni/danm");
        foreach (var endpoint in Node.Objects("DanmEp"))
        {
            var spec = (JsonObject)endpoint["spec"]!.DeepClone();
            spec.Remove("nodeName");
            foreach (var family in (ReadOnlySpan<string>)["Address", "AddressIPv6"])
                spec["Interface"]![family] = ((string?)spec["Interface"]![family])?.Split('/')[0];
            var id = Guid.NewGuid().ToString();
            spec["EndpointID"] = id;
            Node.Server.Store.Delete("danm.io/v1", "DanmEp", "default", (string)endpoint["metadata"]!["name"]!);
            Node.Server.Store.Create(new JsonObject
            {
                ["apiVersion"] = "danm.io/v1",
                ["kind"] = "DanmEp",
                ["metadata"] = new JsonObject { ["name"] = id, ["namespace"] = "default", ["labels"] = new JsonObject { ["app"] = "a" } },
                ["spec"] = spec,
            });
        }

        foreach (var allocation in Node.Objects("IPAllocation"))
            Node.Server.Store.Delete("danm.io/v1", "IPAllocation", null, (string)allocation["metadata"]!["name"]!);

        (await DelAsync(pod)).Succeeded();

        await ExpectReleasedAsync(pod, leasesStay: false);
        await ExpectConfigOfAddAsync();
    }

    private static IEnumerable<TestCaseData> Rows() => Worlds.Select(w => new TestCaseData(w).SetArgDisplayNames(w.Name));

    private async Task<Sandbox> AttachedAsync()
    {
        var pod = await PodAsync(Interfaces);
        (await AddAsync(pod)).Succeeded();
        (await LeasesAsync()).Should().NotBeEmpty();
        Node.Objects("IPAllocation").Should().HaveCount(2);
        Node.Objects("DanmEp").Should().HaveCount(2);
        return pod;
    }

    private async Task WithOwnDiskAsync(Func<Sandbox, Task> test)
    {
        await Node.ShellAsync("mkdir -p /var/lib/cni; mount -t tmpfs -o size=256k tmpfs /var/lib/cni");
        try
        {
            await test(await AttachedAsync());
        }
        finally
        {
            await Node.ShellAsync("umount /var/lib/cni");
        }
    }

    private async Task ExpectDelNeedsDiskOrServerAsync(Sandbox pod)
    {
        Node.Server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        (await DelAsync(pod)).Failed(11).Msg.Should().Contain($"cannot release container {pod.ContainerId} now, nor write that down");
        Node.Objects().Should().HaveCount(4, "what nobody remembers must not be lost");
        Node.Server.Faults.Clear();

        (await DelAsync(pod)).Succeeded();

        Node.Objects().Should().BeEmpty();
        await ExpectNoInterfaceAsync(pod);
        (await LeasesAsync()).Should().BeEmpty();
    }

    private async Task ExpectReleasedAsync(Sandbox? pod, bool leasesStay)
    {
        if ((await Node.StateAsync()).Length > 0)
        {
            await Node.PassTimeAsync(MayStillCome);
            await NextCallAsync();
        }

        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        if (pod is not null)
            await ExpectNoInterfaceAsync(pod);
        if (!leasesStay)
            (await LeasesAsync()).Should().BeEmpty();
    }

    /// <summary>Without its journal, DEL calls the plugins as ADD did, but for the result of ADD, which nobody remembers.</summary>
    private async Task ExpectConfigOfAddAsync()
    {
        var add = await ConfigOfAsync("ADD", "behind");
        add.Remove("prevResult");
        (await ConfigOfAsync("DEL", "behind")).ToJsonString().Should().Be(add.ToJsonString());
    }

    private Task<string> LeasesAsync() => Node.ShellAsync("ls /run/leases/br-net 2>/dev/null | grep '^10' || true");

    private static void DeletePod(HostNode node, Sandbox pod) => node.Server.Store.Delete("v1", "Pod", "default", pod.Name);

    private static void DeleteNetworks(HostNode node, Sandbox pod)
    {
        foreach (var name in (ReadOnlySpan<string>)["mv", "br"])
            node.Server.Store.Delete("danm.io/v1", "DanmNet", "default", name);
    }

    private static void DeleteEndpoints(HostNode node, Sandbox pod)
    {
        foreach (var endpoint in node.Objects("DanmEp"))
            node.Server.Store.Delete("danm.io/v1", "DanmEp", "default", (string)endpoint["metadata"]!["name"]!);
    }

    public enum Netns
    {
        Named,
        Unnamed,
        Gone,
    }

    /// <param name="Name">What has become of the sandbox.</param>
    public sealed record World(string Name)
    {
        /// <summary>What happens to API objects.</summary>
        internal Action<HostNode, Sandbox>? Objects { get; init; }

        /// <summary>What happens to files, as shell commands.</summary>
        public string Files { get; init; } = "true";

        /// <summary>The namespace, as DEL gets it.</summary>
        public Netns Netns { get; init; }

        /// <summary>CNI_PATH, where it is not ADD's.</summary>
        public string? Path { get; init; }

        /// <summary>Whether nothing is there any more that could give the plugin's own address back.</summary>
        public bool LeasesStay { get; init; }

        /// <summary>What the log must say.</summary>
        public string? Logs { get; init; }

        /// <summary>Whether the plugins' configurations come from the API.</summary>
        public bool IsRebuilt { get; init; }

        public override string ToString() => Name;
    }
}
