using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Elections;

/// <summary>What one elector reads and writes to take a lease and to keep it.</summary>
[TestFixture, Parallelizable]
public sealed class LeaseRecordTests : LeaseFixture
{
    [Test]
    public async Task The_first_one_creates_the_lease()
    {
        Run();
        await leads.Task;

        Spec().Should().Be("""{"acquireTime":"2026-01-02T12:00:00.000000Z","holderIdentity":"me","leaseDurationSeconds":15,"leaseTransitions":0,"renewTime":"2026-01-02T12:00:00.000000Z"}""");
        server.Requests.All.Select(r => r.Verb).Should().Equal("get", "create");
        (elector.IsLeader, elector.Leader).Should().Be((true, "me"));
    }

    [Test]
    public async Task A_leader_renews_with_one_update_each_retry_period()
    {
        Run();
        await leads.Task;
        server.Requests.Clear();

        await AdvanceAsync(TimeSpan.FromSeconds(1.9));
        server.Requests.All.Should().BeEmpty();
        await AdvanceAsync(TimeSpan.FromSeconds(0.1));
        await RequestsAsync(1);
        await AdvanceAsync(TimeSpan.FromSeconds(2.5));
        await RequestsAsync(2);

        server.Requests.All.Select(r => (r.Verb, r.Status)).Should().Equal(("update", 200), ("update", 200));
        Spec().Should().Contain("\"acquireTime\":\"2026-01-02T12:00:00.000000Z\"").And.Contain("\"renewTime\":\"2026-01-02T12:00:04.500000Z\"").And.Contain("\"leaseTransitions\":0");
    }

    [TestCase("", 3, Description = "released")]
    [TestCase(null, 3, Description = "made by hand")]
    public async Task A_lease_without_a_holder_is_taken_at_once(string? holder, int transitions)
    {
        SetLease(holder, transitions: transitions);

        Run();
        await leads.Task;

        Spec().Should().Contain("\"leaseTransitions\":4").And.Contain("\"holderIdentity\":\"me\"").And.Contain("\"leaseDurationSeconds\":15");
        server.Requests.All.Select(r => r.Verb).Should().Equal("get", "update");
    }

    [TestCase(15, "2026-01-02T12:00:00.000000Z")]
    [TestCase(15, "1999-12-31T23:59:59.999999Z", Description = "its holder's clock is a quarter of a century behind")]
    [TestCase(15, "2099-01-01T00:00:00.000000Z", Description = "or ahead")]
    [TestCase(40, "2026-01-02T12:00:00.000000Z", Description = "its holder's duration counts, not ours")]
    public async Task A_lease_whose_holder_is_silent_is_taken_when_its_duration_is_over_since_it_was_first_seen(int duration, string renewed)
    {
        SetLease("other", duration, renewed, transitions: 7);
        var seen = new List<string>();
        elector.LeaderChanged += seen.Add;
        Run();
        await RequestsAsync(1);

        await PassAsync(TimeSpan.FromSeconds(duration - 0.5));
        (elector.IsLeader, elector.Leader).Should().Be((false, "other"));
        server.Requests.Count("update").Should().Be(0);
        server.Requests.Count("get").Should().BeInRange((int)(duration / 4.4), (int)(duration / 2.0) + 1, "a look each 2 to 4.4 s");
        await PassAsync(TimeSpan.FromSeconds(5));

        await leads.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Spec().Should().Contain("\"leaseTransitions\":8");
        seen.Should().Equal("other", "me");
    }

    [Test]
    public async Task A_lease_that_is_renewed_is_left_to_its_holder_however_old_its_dates()
    {
        SetLease("other", renewed: "1999-01-01T00:00:00.000000Z");
        Run();

        for (var i = 1; i <= 10; i++)
        {
            await PassAsync(TimeSpan.FromSeconds(10));
            SetLease("other", renewed: $"1999-01-01T00:00:{i:00}.000000Z");
        }

        elector.IsLeader.Should().BeFalse();
        server.Requests.Count("update").Should().Be(0);
    }

    [Test]
    public async Task A_change_beside_the_spec_is_no_renewal()
    {
        SetLease("other");
        Run();
        await RequestsAsync(1);

        for (var i = 0; i < 4; i++)
        {
            await PassAsync(TimeSpan.FromSeconds(5));
            var lease = server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x")!;
            lease["metadata"]!["labels"] = new JsonObject { ["touched"] = $"{i}" };
            server.Store.Update(lease);
        }

        await PassAsync(TimeSpan.FromSeconds(5));
        await leads.Task.WaitAsync(TimeSpan.FromSeconds(30));
        server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x")!.At("metadata", "labels", "touched").String().Should().NotBeNull("what is not ours stays");
    }

    [Test]
    public async Task Of_two_who_write_at_once_one_is_refused()
    {
        SetLease("");
        // Somebody takes it between our look and our write.
        server.Faults.Add(new Fault(Fault.On("update", "leases"))
        {
            Count = 1,
            Hold = () =>
            {
                SetLease("faster", transitions: 1);
                return Task.CompletedTask;
            },
        });

        Run();
        await RequestsAsync(2);
        await PassAsync(TimeSpan.FromSeconds(5));

        server.Requests.Where("update").Select(r => r.Status).Should().Equal(409);
        (elector.IsLeader, elector.Leader).Should().Be((false, "faster"));
    }

    [Test]
    public async Task A_leader_that_lost_stands_again()
    {
        var terms = 0;
        running = elector.RunAsync(async leading =>
        {
            Interlocked.Increment(ref terms);
            await Task.Delay(Timeout.Infinite, leading);
        }, stop.Token);
        await Eventually.IsTrueAsync(() => terms == 1);
        var away = server.Faults.Add(new Fault(Fault.On(null, "leases")) { Answer = new StatusException(403, "Forbidden", "no") });
        await PassAsync(TimeSpan.FromSeconds(11), TimeSpan.FromSeconds(0.5));
        await Eventually.IsTrueAsync(() => !elector.IsLeader);

        server.Faults.Clear();
        await PassAsync(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(0.5));

        await Eventually.IsTrueAsync(() => terms == 2);
        elector.IsLeader.Should().BeTrue();
        away.Hits.Should().BePositive();
    }

    [Test]
    public async Task The_master_status_is_measured_by_its_well_known_name()
    {
        using var metrics = new MetricReader();
        elector = new LeaderElector(api, new LeaderElectorOptions { Namespace = "kube-system", Name = "measured-election", Identity = "me" }, log, clock);
        double? Status() => metrics.Read("measured-election").TryGetValue("leader_election_master_status{name=\"measured-election\"}", out var value) ? value : null;
        Status().Should().BeNull();
        server.Faults.Add(new Fault(Fault.On("get", "leases")) { Count = 1, Answer = new StatusException(403, "Forbidden", "no") });

        Run();
        await RequestsAsync(1);
        Status().Should().Be(0);
        await PassAsync(TimeSpan.FromSeconds(5));
        await leads.Task.WaitAsync(TimeSpan.FromSeconds(30));

        Status().Should().Be(1);
    }

    [TestCase(15, 15, 2, "the lease duration must be more than the renew deadline")]
    [TestCase(15, 2.4, 2, "the renew deadline must be more than 1.2 times the retry period")]
    [TestCase(15, 10, 0, "the retry period must be more than zero")]
    [TestCase(15.5, 10, 2, "the lease duration must be whole seconds")]
    public void Times_that_do_not_fit_are_refused(double lease, double deadline, double retry, string rule)
    {
        var options = new LeaderElectorOptions
        {
            Namespace = "kube-system",
            Name = "x",
            LeaseDuration = TimeSpan.FromSeconds(lease),
            RenewDeadline = TimeSpan.FromSeconds(deadline),
            RetryPeriod = TimeSpan.FromSeconds(retry),
        };
        running = Task.CompletedTask;

        FluentActions.Invoking(() => new LeaderElector(api, options, log)).Should().Throw<ArgumentException>().WithMessage($"*{rule}*");
    }

    [Test]
    public void Two_processes_on_one_machine_have_names_of_their_own()
    {
        var (a, b) = (new LeaderElectorOptions { Namespace = "n", Name = "x" }, new LeaderElectorOptions { Namespace = "n", Name = "x" });
        running = Task.CompletedTask;

        a.Identity.Should().NotBe(b.Identity).And.MatchRegex($"^{Regex.Escape(Environment.MachineName)}_");
    }
}
