using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Elections;

/// <summary>What is left of a lease when its leader, or a candidate, ends.</summary>
public sealed class LeaseReleaseTests : LeaseFixture
{
    [Test]
    public async Task Whoever_ends_empties_the_lease_once_its_work_has_ended()
    {
        var end = new TaskCompletionSource();
        running = elector.RunAsync(async leading =>
        {
            leads.SetResult();
            await Task.Delay(Timeout.Infinite, leading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stops.SetResult();
            await end.Task;
        }, stop.Token);
        await leads.Task;

        await stop.CancelAsync();
        await stops.Task;
        await AdvanceAsync(TimeSpan.FromSeconds(2));
        await Eventually.IsTrueAsync(() => Spec().Contains("12:00:02.000000Z", StringComparison.Ordinal), "it renews while its work goes on");
        Spec().Should().Contain("\"holderIdentity\":\"me\"");
        clock.Advance(TimeSpan.FromSeconds(1));
        end.SetResult();
        await running.WaitAsync(TimeSpan.FromSeconds(30));

        Spec().Should().Be("""{"acquireTime":"2026-01-02T12:00:03.000000Z","holderIdentity":"","leaseDurationSeconds":1,"leaseTransitions":0,"renewTime":"2026-01-02T12:00:03.000000Z"}""");
        log.Lines[^1].Should().Be("Information: me released the lease kube-system/x");
    }

    [TestCase("create")]
    [TestCase("update")]
    public async Task Whoever_ends_while_it_takes_the_lease_does_not_leave_it_behind(string verb)
    {
        if (verb == "update")
            SetLease("");
        server.Faults.Add(new Fault(Fault.On(verb, "leases")) { Count = 1, Committed = stop.Cancel });

        Run();
        await running.WaitAsync(TimeSpan.FromSeconds(30));

        leads.Task.IsCompleted.Should().BeFalse();
        Spec().Should().Contain("\"holderIdentity\":\"\"");
    }

    [Test]
    public async Task Whoever_ends_as_a_candidate_leaves_the_lease_to_its_holder()
    {
        SetLease("other");
        server.Faults.Add(new Fault(Fault.On("get", "leases")) { Count = 1, Committed = stop.Cancel });

        Run();
        await running.WaitAsync(TimeSpan.FromSeconds(30));

        Spec().Should().Contain("\"holderIdentity\":\"other\"");
        log.Lines.Should().Equal("Information: me stands for the lease kube-system/x");
    }

    [Test]
    public async Task Whoever_may_not_release_leaves_the_lease_to_expire()
    {
        elector = new LeaderElector(api, new LeaderElectorOptions { Namespace = "kube-system", Name = "x", Identity = "me", ReleaseOnCancel = false }, log, clock);
        Run();
        await leads.Task;

        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(30));

        Spec().Should().Contain("\"holderIdentity\":\"me\"");
    }

    [Test]
    public async Task Work_that_ends_by_itself_ends_the_leading_and_releases()
    {
        running = elector.RunAsync(_ => Task.CompletedTask, stop.Token);

        await running.WaitAsync(TimeSpan.FromSeconds(30));

        Spec().Should().Contain("\"holderIdentity\":\"\"");
    }

    [Test]
    public async Task Work_that_fails_releases_and_its_failure_is_passed_on()
    {
        running = elector.RunAsync(_ => throw new InvalidOperationException("broken"), stop.Token);

        await running.Awaiting(r => r).Should().ThrowAsync<InvalidOperationException>().WithMessage("broken");

        Spec().Should().Contain("\"holderIdentity\":\"\"");
    }

    [Test]
    public async Task Work_that_goes_on_when_the_lease_has_expired_is_no_secret()
    {
        var never = new TaskCompletionSource();
        running = elector.RunAsync(_ =>
        {
            leads.SetResult();
            return never.Task;
        }, stop.Token);
        await leads.Task;
        server.Faults.Add(new Fault(Fault.On(null, "leases")) { Answer = new StatusException(403, "Forbidden", "no") });

        await PassAsync(TimeSpan.FromSeconds(14.5), TimeSpan.FromSeconds(0.5));
        running.IsCompleted.Should().BeFalse();
        await PassAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0.5));

        await running.Awaiting(r => r).Should().ThrowAsync<TimeoutException>().WithMessage("leader election kube-system/x: the lease has expired, and the work of me goes on");
        never.SetResult();
    }
}
