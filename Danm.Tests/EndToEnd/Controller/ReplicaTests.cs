using System.Diagnostics;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>Several replicas: one works, and who comes after it.</summary>
[TestFixture]
public sealed class ReplicaTests : ControllerFixture
{
    [Test]
    public async Task When_the_leader_is_killed_the_other_takes_over_once_the_lease_has_expired()
    {
        string[] times = ["--leader-elect-lease-duration=5s", "--leader-elect-renew-deadline=4s", "--leader-elect-retry-period=1s", "--node-grace=1s"];
        await using var first = await StartLeaderAsync(times);
        await using var second = Start(times);
        var leader = Leader();
        await Eventually.HoldsAsync(() => second.Log.Should().Contain($"{leader} has the lease kube-system/danm-controller"));
        await Task.Delay(TimeSpan.FromSeconds(2));
        Server.Requests.Clear();

        await first.KillAsync();
        var dead = Stopwatch.StartNew();
        // One that is lost with the leader.
        Attach("of-gone", "gone");

        await Eventually.HoldsAsync(() => Leader().Should().NotBe(leader), seconds: 30);
        // A candidate looks after a retry period and up to 120 % more: it may see the last renewal late, and the expiry too.
        dead.Elapsed.Should().BeGreaterThan(TimeSpan.FromSeconds(3)).And.BeLessThan(TimeSpan.FromSeconds(5 + (2 * 2.2) + 1));
        await Eventually.HoldsAsync(() => Attached().Should().BeEmpty(), seconds: 20);
    }

    [Test]
    public async Task A_leader_that_is_asked_to_end_hands_over_at_once()
    {
        string[] times = ["--leader-elect-lease-duration=60s", "--leader-elect-renew-deadline=40s", "--leader-elect-retry-period=1s"];
        await using var first = await StartLeaderAsync(times);
        await using var second = Start(times);
        var leader = Leader();
        await Eventually.HoldsAsync(() => second.Log.Should().Contain($"{leader} has the lease"));

        (await first.StopAsync()).Should().Be(0, first.Log);

        first.Log.Should().Contain("released the lease kube-system/danm-controller");
        await Eventually.HoldsAsync(() => Leader().Should().NotBe(leader).And.NotBeNullOrEmpty());
        second.HasExited.Should().BeFalse();
    }

    [Test]
    public async Task One_that_waits_ends_at_SIGTERM_too()
    {
        await using var first = await StartLeaderAsync();
        await using var second = Start();
        await Eventually.HoldsAsync(() => second.Log.Should().Contain("has the lease"));

        (await second.StopAsync()).Should().Be(0, second.Log);

        Server.Requests.Where("list", "nodes").Should().HaveCount(2, "the informer and the pass of the one that leads");
    }

    [Test]
    public async Task One_that_loses_the_lease_ends_with_an_error()
    {
        await using var controller = await StartLeaderAsync("--leader-elect-lease-duration=5s", "--leader-elect-renew-deadline=3s", "--leader-elect-retry-period=1s");
        Server.Faults.Add(new Fault(Fault.On("update", "leases")) { DropBefore = true });

        (await controller.EndAsync()).Should().Be(1);

        controller.Log.Should().Contain("error: leader election lost");
    }

    [Test]
    public async Task Without_election_it_works_and_asks_for_no_lease()
    {
        Attach("of-gone", "gone");
        await using var controller = Start("--leader-elect=false", "--node-grace=1s");

        await Eventually.HoldsAsync(() => Attached().Should().BeEmpty(), seconds: 20);

        Server.Requests.Where(resource: "leases").Should().BeEmpty();
        (await controller.StopAsync()).Should().Be(0);
    }
}
