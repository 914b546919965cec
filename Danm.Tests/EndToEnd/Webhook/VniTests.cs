using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.Kube;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>VLAN ids of tenants, given out by several replicas under an API server that does not wait for long.</summary>
[Parallelizable]
public sealed class VniTests : ReplicasFixture
{
    /// <summary>Of manifests/webhook.</summary>
    private static readonly TimeSpan AdmissionTimeOut = TimeSpan.FromSeconds(10);

    [Test]
    public async Task Two_hundred_networks_at_once_get_ids_of_their_own_within_the_time_out()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => CreateAsync(TenantNetwork(Tenant, $"net-{i}"))));

        made.Where(m => m.Code != 201).Select(m => m.Message).Should().BeEmpty();
        made.Select(m => m.Body.At("spec", "Options", "vlan")!.GetValue<int>()).Should().OnlyHaveUniqueItems().And.OnlyContain(v => v >= 100 && v <= 699);
        Stored().Should().HaveCount(200).And.BeEquivalentTo(Reserved());
        var reviews = Server.Requests.Where("create", "tenantnetworks").SelectMany(r => r.Admission).ToArray();
        reviews.Should().HaveCount(200).And.OnlyContain(c => c.Outcome == "allowed" && c.Duration < AdmissionTimeOut);
        Server.Requests.Where("create", "vniallocations").Select(r => r.Connection).Distinct().Should().HaveCount(3, "all replicas have their part");
        TestContext.Out.WriteLine($"reviews took {reviews.Select(c => c.Duration).Order().ElementAt(100).TotalMilliseconds:0} ms in the middle, {reviews.Max(c => c.Duration).TotalMilliseconds:0} ms at most");
    }

    [Test]
    public async Task Networks_of_generated_names_get_ids_of_their_own()
    {
        var network = TenantNetwork(Tenant, "");
        network["metadata"] = new JsonObject { ["generateName"] = "net-", ["namespace"] = Tenant };
        var made = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => CreateAsync(network)));

        made.Select(m => m.Accepted().Body.At("spec", "Options", "vlan")!.GetValue<int>()).Should().OnlyHaveUniqueItems();
        Reserved().Should().BeEquivalentTo(Stored());
    }

    [Test]
    public async Task A_replica_that_is_killed_midway_loses_no_id_and_leaks_none_for_good()
    {
        await AddReplicaAsync();
        // Or a fast machine is done before the replica can be killed.
        Server.Faults.Add(new Fault(Fault.On("create", "vniallocations")) { Delay = TimeSpan.FromMilliseconds(25) });
        var creations = Enumerable.Range(0, 200).Select(i => CreateAsync($"net-{i}", isPatient: i % 2 == 0)).ToArray();
        await Eventually.IsTrueAsync(() => Reserved().Count > 40);
        await Running[^1].KillAsync();
        var made = (await Task.WhenAll(creations)).Count(m => m);

        made.Should().BeInRange(100, 199, "requests fail with their replica");
        Stored().Should().HaveCount(made).And.OnlyHaveUniqueItems();
        Reserved().Should().Contain(Stored());
        TestContext.Out.WriteLine($"{200 - made} networks were not made since their replica died, and not tried again; {Reserved().Count - made} ids were left");

        // One that is left for certain: the network for which it was reserved was never heard of again.
        Server.Store.Create(Orphan(650));
        await using var controller = StartController();
        await BringsAboutAsync(controller, () => Reserved().Count == made);
        Reserved().Should().BeEquivalentTo(Stored());
        (await controller.StopAsync()).Should().Be(0);
    }

    [TestCase(false, TestName = "Five_hundred_denied_creations_of_one_name_leave_ids_for_others")]
    [TestCase(true, TestName = "Five_hundred_denied_creations_of_many_names_leave_ids_for_others")]
    public async Task Denied_creations(bool differ)
    {
        await using var refusal = await RefuseAsync(Tenant, "CREATE");
        var denied = Enumerable.Range(0, 500).Select(i => CreateAsync(TenantNetwork(Tenant, differ ? $"net-{i}" : "net"))).ToArray();
        await Eventually.IsTrueAsync(() => Reserved().Count > 0);
        for (var i = 0; i < 20; i++)
            (await CreateAsync(TenantNetwork(Neighbour, $"net-{i}"))).Accepted();
        var codes = (await Task.WhenAll(denied)).Select(d => d.Code).ToArray();

        var waited = Server.Requests.Where("create", "tenantnetworks").Where(r => r.Namespace == Neighbour).SelectMany(r => r.Admission).Max(c => c.Duration);
        waited.Should().BeLessThan(AdmissionTimeOut);
        codes.Should().OnlyContain(c => c == 403 || c == 503);
        Stored().Should().HaveCount(20).And.OnlyHaveUniqueItems();
        var left = Reserved().Except(Stored()).Count();
        left.Should().BeInRange(1, differ ? Replicas * 16 : Replicas, "each replica lets a namespace have 16 unused ones, and uses one again for the same name");
        TestContext.Out.WriteLine($"answers {string.Join(", ", codes.CountBy(c => c).Select(c => $"{c.Value} times {c.Key}"))}; {left} ids left; the neighbour waited {waited.TotalMilliseconds:0} ms at most");

        await using var controller = StartController();
        await BringsAboutAsync(controller, () => Reserved().Count == 20);
        Reserved().Should().BeEquivalentTo(Stored());
        (await controller.StopAsync()).Should().Be(0);
    }

    [Test]
    public async Task A_deletion_that_another_webhook_refuses_frees_nothing()
    {
        var network = TenantNetwork(Tenant, "net");
        (await CreateAsync(network)).Accepted();
        await using var controller = StartController();
        await using (await RefuseAsync(Tenant, "DELETE"))
        {
            (await DeleteAsync(network)).Code.Should().Be(403);
            // Once it is gone the controller has looked.
            Server.Store.Create(Orphan(650));
            await BringsAboutAsync(controller, () => !Reserved().Contains(650));
            Reserved().Should().Equal(Stored()).And.HaveCount(1);
        }

        (await DeleteAsync(network)).Accepted();
        await BringsAboutAsync(controller, () => Reserved().Count == 0);
        (await controller.StopAsync()).Should().Be(0);
    }

    /// <summary>Whether it was made. Of those whose request fails with a replica some try again, as people do, and some do not.</summary>
    private async Task<bool> CreateAsync(string name, bool isPatient)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await CreateAsync(TenantNetwork(Tenant, name));
            if (answer.Code == 201)
                return true;
            answer.Code.Should().Be(500, "only the replica that is gone may fail a request: {0}", answer.Message);
            attempt.Should().BeLessThan(100);
            if (!isPatient)
                return false;
            await Task.Delay(50);
        }
    }

    private JsonObject Orphan(int vni) => new()
    {
        ["apiVersion"] = "danm.io/v1",
        ["kind"] = "VNIAllocation",
        ["metadata"] = new JsonObject { ["name"] = $"vlan{vni}.ens4" },
        ["spec"] = new JsonObject
        {
            ["device"] = "ens4", ["vniType"] = "vlan", ["vni"] = vni,
            ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = Tenant, ["name"] = "never-stored" },
        },
    };
}
