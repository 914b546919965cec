using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Networks.Admission;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Tenants;

/// <summary>Reserving ids against the embedded server, from several replicas.</summary>
public sealed class VniReserverTests
{
    private EmbeddedApiServer server = null!;
    private CancellationTokenSource stop = null!;
    private List<(ApiClient Api, NetworkView View, Task Running)> replicas = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        (stop, replicas) = (new(), []);
    }

    [TearDown]
    public async Task Stop()
    {
        await stop.CancelAsync();
        foreach (var (api, _, running) in replicas)
        {
            await running;
            api.Dispose();
        }

        await server.DisposeAsync();
        stop.Dispose();
    }

    [Test]
    public async Task The_lowest_free_id_is_reserved_with_owner_and_time()
    {
        var reserver = await ReplicaAsync();

        (await reserver.ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2000);
        (await reserver.ReserveAsync(For("b"), dryRun: false, default)).Should().Be(2001);

        var stored = server.Store.Get("danm.io/v1", "VNIAllocation", null, "vlan2000.ens4")!;
        stored["spec"]!.ToJsonString().Should().Be("""{"device":"ens4","vniType":"vlan","vni":2000,"network":{"kind":"TenantNetwork","namespace":"default","name":"a"}}""");
        ((string?)stored["metadata"]!["annotations"]![VniReserver.ReservedAtAnnotation]).Should().EndWith("Z");
        ((string?)stored["metadata"]!["labels"]!["app.kubernetes.io/managed-by"]).Should().Be("danm");
    }

    [Test]
    public async Task Ids_that_networks_of_any_kind_have_on_that_device_are_skipped()
    {
        server.Store.Create(Objects.Network("ClusterNetwork", "c", """{"NetworkID":"c","Options":{"host_device":"ens4","vlan":2000}}"""));
        server.Store.Create(Objects.Network("DanmNet", "d", """{"NetworkID":"d","NetworkType":"macvlan","Options":{"host_device":"ens4","vlan":2001}}"""));
        server.Store.Create(Objects.Network("TenantNetwork", "t", """{"NetworkID":"t","Options":{"host_device":"ens4","vlan":2002}}"""));
        server.Store.Create(Objects.Network("ClusterNetwork", "other-device", """{"NetworkID":"o","Options":{"host_device":"ens5","vlan":2003}}"""));
        server.Store.Create(Objects.Network("ClusterNetwork", "vxlan", """{"NetworkID":"v","Options":{"host_device":"ens4","vxlan":2003}}"""));

        (await (await ReplicaAsync()).ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2003);
    }

    [Test]
    public async Task A_dry_run_tells_the_id_and_reserves_nothing()
    {
        var reserver = await ReplicaAsync();

        (await reserver.ReserveAsync(For("a"), dryRun: true, default)).Should().Be(2000);

        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(0);
    }

    [Test]
    public async Task A_request_of_the_same_name_takes_what_the_last_one_left_and_says_so()
    {
        var reserver = await ReplicaAsync();
        await reserver.ReserveAsync(For("a"), dryRun: false, default);
        var before = Version("vlan2000.ens4");
        await Task.Delay(50);

        for (var i = 0; i < 20; i++)
            (await reserver.ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2000);

        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(1);
        Version("vlan2000.ens4").Should().NotBe(before, "whoever would free it must see that it is wanted again");
        (await (await ReplicaAsync()).ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2000, "another replica knows it too");
    }

    [Test]
    public async Task What_is_used_belongs_to_who_uses_it_whatever_the_allocation_says()
    {
        var reserver = await ReplicaAsync();
        await reserver.ReserveAsync(For("a"), dryRun: false, default);
        server.Store.Create(Objects.Network("TenantNetwork", "b", """{"NetworkID":"b","Options":{"host_device":"ens4","vlan":2000}}"""));
        await Eventually.IsTrueAsync(() => replicas[0].View.Of(NetworkKind.TenantNetwork).Any());

        (await reserver.ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2001);
    }

    [Test]
    public async Task Names_that_the_server_makes_never_share_an_id()
    {
        var reserver = await ReplicaAsync();

        var ids = new List<int>();
        for (var i = 0; i < 5; i++)
            ids.Add(await reserver.ReserveAsync(new VniRequest(Vnis("2000-2500"), "default", null), dryRun: false, default));

        ids.Should().OnlyHaveUniqueItems();
    }

    [Test]
    public async Task An_exhausted_range_says_so_after_asking_the_server_and_only_then()
    {
        var reserver = await ReplicaAsync();
        // Each is used, so that none counts as left over.
        foreach (var (name, i) in ((string[])["a", "b"]).Select((n, i) => (n, i)))
        {
            (await reserver.ReserveAsync(For(name, "7-8"), dryRun: false, default)).Should().Be(7 + i);
            server.Store.Create(Objects.Network("TenantNetwork", name, $$$"""{"NetworkID":"{{{name}}}","Options":{"host_device":"ens4","vlan":{{{7 + i}}}}}"""));
        }

        await reserver.Awaiting(r => r.ReserveAsync(For("c", "7-8"), dryRun: false, default)).Should().ThrowAsync<VniException>().WithMessage("all 2 ids of vlan 7-8 on \"ens4\" are taken*");

        server.Store.Delete("danm.io/v1", "TenantNetwork", "default", "a");
        server.Store.Delete("danm.io/v1", "VNIAllocation", null, "vlan7.ens4");
        await Eventually.IsTrueAsync(() => replicas[0].View.Of(NetworkKind.TenantNetwork).Count() == 1);
        (await reserver.ReserveAsync(For("c", "7-8"), dryRun: false, default)).Should().Be(7);
    }

    [Test]
    public async Task A_VNIAllocation_that_cannot_be_read_is_skipped_and_counts_as_taken()
    {
        server.Store.Load("danm.io/v1", "VNIAllocation", [new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation", ["metadata"] = new JsonObject { ["name"] = "vlan7.ens4" },
            ["spec"] = new JsonObject { ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = "7" },
        }]);
        var reserver = await ReplicaAsync();

        (await reserver.ReserveAsync(For("a", "7-8"), dryRun: false, default)).Should().Be(8);
        await reserver.Awaiting(r => r.ReserveAsync(For("b", "7-8", "other"), dryRun: false, default)).Should().ThrowAsync<VniException>().WithMessage("all 2 ids*");
    }

    [Test]
    public async Task Requests_that_come_to_nothing_cost_their_namespace_a_few_ids_and_others_nothing()
    {
        var reserver = await ReplicaAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var loop = async () =>
        {
            for (var i = 0; ; i++)
                await reserver.ReserveAsync(For($"denied-{i}", ns: "greedy"), dryRun: false, patience.Token);
        };

        await loop.Should().ThrowAsync<OperationCanceledException>();

        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(16);
        (await reserver.ReserveAsync(For("mine"), dryRun: false, default)).Should().Be(2016);
    }

    [Test]
    public async Task Of_a_small_range_at_most_a_quarter_goes_to_one_namespace_like_that()
    {
        var reserver = await ReplicaAsync();
        await reserver.ReserveAsync(For("x1", "1-8", "greedy"), dryRun: false, default);
        await reserver.ReserveAsync(For("x2", "1-8", "greedy"), dryRun: false, default);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));

        await reserver.Awaiting(r => r.ReserveAsync(For("x3", "1-8", "greedy"), dryRun: false, patience.Token)).Should().ThrowAsync<OperationCanceledException>();

        (await reserver.ReserveAsync(For("mine", "1-8"), dryRun: false, default)).Should().Be(3);
    }

    [Test]
    public async Task What_deleted_networks_had_costs_their_namespace_nothing()
    {
        var reserver = await ReplicaAsync();
        for (var id = 1; id <= 4; id++)
            Left(id, TimeSpan.FromMinutes(20));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 4);

        (await reserver.ReserveAsync(For("a", "1-8"), dryRun: false, default)).Should().Be(5);
    }

    [Test]
    public async Task What_was_left_of_another_range_of_the_device_costs_nothing()
    {
        var reserver = await ReplicaAsync();
        Left(1, TimeSpan.FromMinutes(2));
        Left(2, TimeSpan.FromMinutes(3));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 2);

        (await reserver.ReserveAsync(For("a", "101-108"), dryRun: false, default)).Should().Be(101);
    }

    /// <summary>Of eight, two may be reserved for nothing; what was stored was not.</summary>
    [Test]
    public async Task What_networks_had_that_lived_for_a_moment_costs_their_namespace_neither_ids_nor_time()
    {
        var reserver = await ReplicaAsync();
        for (var id = 1; id <= 4; id++)
        {
            (await reserver.TryReserveAsync(For($"n{id}", "1-8"), dryRun: false, default)).Should().Be(id);
            server.Store.Create(Objects.Network("TenantNetwork", $"n{id}", $$$"""{"NetworkID":"n","Options":{"host_device":"ens4","vlan":{{{id}}}}}"""));
            await Eventually.IsTrueAsync(() => replicas[0].View.Of(NetworkKind.TenantNetwork).Any());
            server.Store.Delete("danm.io/v1", "TenantNetwork", "default", $"n{id}");
            await Eventually.IsTrueAsync(() => !replicas[0].View.Of(NetworkKind.TenantNetwork).Any());
        }

        (await reserver.TryReserveAsync(For("n5", "1-8"), dryRun: false, default)).Should().Be(5);
        (await reserver.TryReserveAsync(For("n6", "1-8"), dryRun: false, default)).Should().BeNull("that would be more than half, and the fifth may be stored yet");
    }

    [Test]
    public async Task One_that_is_reserved_again_after_its_network_went_counts_as_new()
    {
        var reserver = await ReplicaAsync();
        for (var id = 1; id <= 2; id++)
        {
            await reserver.ReserveAsync(For($"n{id}", "1-8"), dryRun: false, default);
            server.Store.Create(Objects.Network("TenantNetwork", $"n{id}", $$$"""{"NetworkID":"n","Options":{"host_device":"ens4","vlan":{{{id}}}}}"""));
            await Eventually.IsTrueAsync(() => replicas[0].View.Of(NetworkKind.TenantNetwork).Any());
            server.Store.Delete("danm.io/v1", "TenantNetwork", "default", $"n{id}");
            await Eventually.IsTrueAsync(() => !replicas[0].View.Of(NetworkKind.TenantNetwork).Any());
            var before = Version($"vlan{id}.ens4");
            (await reserver.ReserveAsync(For($"n{id}", "1-8"), dryRun: false, default)).Should().Be(id);
            await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Any(a => a.Spec.Vni == id && a.Metadata.ResourceVersion != before));
        }

        (await reserver.TryReserveAsync(For("n3", "1-8"), dryRun: false, default)).Should().BeNull("two are on their way");
    }

    [Test]
    public async Task What_was_denied_a_while_ago_is_told_at_once()
    {
        var reserver = await ReplicaAsync();
        Left(1, TimeSpan.FromMinutes(2));
        Left(2, TimeSpan.FromMinutes(3));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 2);

        var refusal = await reserver.Awaiting(r => r.ReserveAsync(For("a", "1-8"), dryRun: false, default)).Should().ThrowAsync<VniException>().WithMessage("2 ids on \"ens4\" are kept*10 minutes*");
        refusal.Which.IsTemporary.Should().BeTrue();
        (await reserver.ReserveAsync(For("b", "1-8", "other"), dryRun: false, default)).Should().Be(3);
    }

    [Test]
    public async Task Of_a_range_of_two_the_second_is_given_though_the_first_had_a_network_that_is_deleted()
    {
        var reserver = await ReplicaAsync();
        Left(100, TimeSpan.FromMinutes(20));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 1);

        (await reserver.ReserveAsync(For("b", "100-101"), dryRun: false, default)).Should().Be(101);
    }

    [Test]
    public async Task However_old_a_namespace_leaves_no_more_than_half_of_a_small_range()
    {
        var reserver = await ReplicaAsync();
        for (var id = 1; id <= 11; id++)
            Left(id, TimeSpan.FromHours(1));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 11);

        await reserver.Awaiting(r => r.ReserveAsync(For("a", "1-20"), dryRun: false, default)).Should().ThrowAsync<VniException>().WithMessage("11 ids*");
        (await reserver.ReserveAsync(For("b", "1-20", "other"), dryRun: false, default)).Should().Be(12);
    }

    [Test]
    public async Task However_old_a_namespace_leaves_no_more_than_four_times_as_many()
    {
        var reserver = await ReplicaAsync();
        for (var id = 2000; id < 2064; id++)
            Left(id, TimeSpan.FromHours(1));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 64);

        await reserver.Awaiting(r => r.ReserveAsync(For("a"), dryRun: false, default)).Should().ThrowAsync<VniException>();
    }

    [Test]
    public async Task A_range_that_is_exhausted_is_told_before_what_the_namespace_has_left()
    {
        var reserver = await ReplicaAsync();
        Left(1, TimeSpan.FromSeconds(1));
        Left(2, TimeSpan.FromSeconds(1));
        await Eventually.IsTrueAsync(() => replicas[0].View.Allocations.Count == 2);

        await reserver.Awaiting(r => r.ReserveAsync(For("a", "1-2"), dryRun: false, default)).Should().ThrowAsync<VniException>().WithMessage("all 2 ids*");
    }

    private void Left(int id, TimeSpan age) => server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "danm.io/v1", ["kind"] = "VNIAllocation",
        ["metadata"] = new JsonObject { ["name"] = $"vlan{id}.ens4", ["annotations"] = new JsonObject { [VniReserver.ReservedAtAnnotation] = (DateTimeOffset.UtcNow - age).UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", System.Globalization.CultureInfo.InvariantCulture) } },
        ["spec"] = new JsonObject { ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = id, ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = "default", ["name"] = $"left-{id}" } },
    });

    [Test]
    public async Task Two_hundred_at_once_from_three_replicas_get_two_hundred_ids()
    {
        VniReserver[] reservers = [await ReplicaAsync(), await ReplicaAsync(), await ReplicaAsync()];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        var ids = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () =>
        {
            var id = await reservers[i % 3].ReserveAsync(For($"n{i}"), dryRun: false, patience.Token);
            server.Store.Create(Objects.Network("TenantNetwork", $"n{i}", $$$"""{"NetworkID":"n{{{i}}}","Options":{"host_device":"ens4","vlan":{{{id}}}}}"""));
            return id;
        })));

        ids.Should().OnlyHaveUniqueItems().And.HaveCount(200);
        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(200, "a name that is taken by another replica is left to it");
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_create_without_an_answer_is_seen_to_be_its_own_and_leaves_no_second(bool committed)
    {
        var reserver = await ReplicaAsync();
        server.Faults.Add(new Fault(Fault.On("create", "vniallocations")) { Count = 1, DropAfter = committed, DropBefore = !committed });

        (await reserver.ReserveAsync(For("a"), dryRun: false, default)).Should().Be(2000);

        server.Store.Count("danm.io/v1", "VNIAllocation").Should().Be(1);
    }

    [Test]
    public async Task A_device_pool_has_ids_of_its_own()
    {
        var reserver = await ReplicaAsync();
        VniRanges.TryParse("5-9", Encapsulation.Vlan, out var ranges, out _);

        (await reserver.ReserveAsync(new VniRequest(new TenantVnis("vendor.io/pool", Encapsulation.Vlan, ranges), "default", "a"), dryRun: false, default)).Should().Be(5);
        (await reserver.ReserveAsync(For("b", "5-9"), dryRun: false, default)).Should().Be(5, "on another device");
    }

    private async Task<VniReserver> ReplicaAsync()
    {
        var api = TestClient.Connect(server.Kubeconfig());
        var view = new NetworkView(api, failure => TestContext.Progress.WriteLine(failure));
        replicas.Add((api, view, view.RunAsync(stop.Token)));
        await Eventually.IsTrueAsync(() => !view.Unknown.Any());
        return new VniReserver(api, view);
    }

    private static VniRequest For(string name, string range = "2000-2500", string ns = "default") => new(Vnis(range), ns, name);

    private static TenantVnis Vnis(string range) => VniRanges.TryParse(range, Encapsulation.Vlan, out var ranges, out var why) ? new("ens4", Encapsulation.Vlan, ranges) : throw new ArgumentException(why);

    private string? Version(string name) => (string?)server.Store.Get("danm.io/v1", "VNIAllocation", null, name)!["metadata"]!["resourceVersion"];
}
