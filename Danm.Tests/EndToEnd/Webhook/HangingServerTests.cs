using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>An API server that takes what the webhook asks during a review, and does not answer.</summary>
[TestFixture, Parallelizable]
public sealed class HangingServerTests : ReplicasFixture
{
    private TaskCompletionSource end = new();

    [TearDown]
    public void Release()
    {
        end.TrySetResult();
        end = new();
    }

    [TestCase("list", "tenantconfigs")]
    [TestCase("get", "tenantnetworks")]
    public async Task A_review_ends_by_its_time_out_and_says_why_and_nothing_is_reserved(string verb, string resource)
    {
        Hang(verb, resource);

        await DeniedAsync(TenantNetwork(Tenant, "net"));

        Server.Faults.Clear();
        end.SetResult();
        await Task.Delay(500);
        Reserved().Should().BeEmpty();
        (await CreateAsync(TenantNetwork(Tenant, "net"))).Accepted();
    }

    /// <summary>The write commits when nobody waits for it any more.</summary>
    [Test]
    public async Task An_id_that_is_reserved_too_late_is_taken_by_the_next_try_or_freed_by_the_controller()
    {
        Hang("create", "vniallocations");
        await Task.WhenAll(DeniedAsync(TenantNetwork(Tenant, "comes-again")), DeniedAsync(TenantNetwork(Neighbour, "does-not")));
        Server.Faults.Clear();
        end.SetResult();
        await Tests.Kube.Eventually.IsTrueAsync(() => Reserved().Count > 0);
        Stored().Should().BeEmpty();

        (await CreateAsync(TenantNetwork(Tenant, "comes-again"))).Accepted();

        await using var controller = StartController();
        await BringsAboutAsync(controller, () => Reserved().Count == 1);
        Reserved().Should().Equal(Stored());
        (await controller.StopAsync()).Should().Be(0);
    }

    /// <summary>The Pods of a network are asked for.</summary>
    [Test]
    public async Task A_deletion_ends_by_the_time_out_too_and_deletes_nothing()
    {
        (await CreateAsync(TenantNetwork(Tenant, "net"))).Accepted();
        Hang("list", "danmeps");

        var answer = await DeleteAsync(TenantNetwork(Tenant, "net"));

        answer.Code.Should().Be(503);
        Stored().Should().HaveCount(1);
    }

    [Test]
    public async Task What_needs_no_answer_does_not_wait()
    {
        Hang("create", "vniallocations");
        var hangs = DeniedAsync(TenantNetwork(Tenant, "net"));
        await Tests.Kube.Eventually.IsTrueAsync(() => Server.Requests.Where("create", "vniallocations").Length > 0);

        (await CreateAsync(Objects.Network("DanmNet", "net", """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", Tenant))).Accepted();

        hangs.IsCompleted.Should().BeFalse();
        await hangs;
    }

    private void Hang(string verb, string resource) => Server.Faults.Add(new Fault(Fault.On(verb, resource)) { Hold = () => end.Task });

    private async Task DeniedAsync(JsonObject network)
    {
        var answer = await CreateAsync(network);

        // In time for the API server, which would say something else.
        answer.Code.Should().Be(503, answer.Body.ToJsonString());
        answer.Message.Should().Contain("danm's webhook could not decide within 8 s: the API server did not answer it").And.Contain("Try again");
    }
}
