using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Elections;

/// <summary>What one elector reads and writes at which moment, by a clock that the test moves, against the embedded server.</summary>
public sealed class LeaseRecordTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;
    private FakeTimeProvider clock = null!;
    private ListLogger log = null!;
    private CancellationTokenSource stop = null!;
    private TaskCompletionSource leads = null!;
    private TaskCompletionSource stops = null!;
    private LeaderElector elector = null!;
    private Task running = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync();
        api = TestClient.Connect(server.Kubeconfig());
        clock = new FakeTimeProvider(Noon);
        (log, stop, leads, stops) = (new(), new(), new(), new());
        elector = new LeaderElector(api, new LeaderElectorOptions { Namespace = "kube-system", Name = "x", Identity = "me" }, log, clock);
    }

    [TearDown]
    public async Task Stop()
    {
        server.Faults.Clear();
        await stop.CancelAsync();
        stops.TrySetResult();
        await running.WaitAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        api.Dispose();
        await server.DisposeAsync();
        stop.Dispose();
    }

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
    public async Task A_leader_that_sees_another_holder_goes_at_once()
    {
        Run();
        await leads.Task;
        SetLease("usurper", transitions: 1);

        await AdvanceAsync(TimeSpan.FromSeconds(2));

        await Eventually.IsTrueAsync(() => stops.Task.IsCompleted);
        (elector.IsLeader, elector.Leader).Should().Be((false, "usurper"));
        Spec().Should().Contain("usurper");
    }

    [Test]
    public async Task A_leader_whose_lease_was_deleted_makes_it_anew_and_goes_on()
    {
        Run();
        await leads.Task;
        server.Store.Delete("coordination.k8s.io/v1", "Lease", "kube-system", "x");

        await AdvanceAsync(TimeSpan.FromSeconds(2));
        await Eventually.IsTrueAsync(() => server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x") is not null);

        elector.IsLeader.Should().BeTrue();
        stops.Task.IsCompleted.Should().BeFalse();
    }

    [TestCase("refused")]
    [TestCase("dropped")]
    [TestCase("hangs")]
    [TestCase("committed, unanswered")]
    public async Task A_leader_that_cannot_renew_goes_at_its_deadline_since_it_sent_the_last_renewal(string how)
    {
        Run();
        await leads.Task;
        server.Faults.Add(new Fault(Fault.On(null, "leases"))
        {
            Answer = how == "refused" ? new StatusException(403, "Forbidden", "no") : null,
            DropBefore = how == "dropped",
            DropAfter = how == "committed, unanswered",
            Delay = how == "hangs" ? TimeSpan.FromHours(1) : TimeSpan.Zero,
        });

        await PassAsync(TimeSpan.FromSeconds(9.8), TimeSpan.FromSeconds(0.7), wait: how != "hangs");
        elector.IsLeader.Should().BeTrue();
        stops.Task.IsCompleted.Should().BeFalse();
        clock.Advance(TimeSpan.FromSeconds(0.2));

        elector.IsLeader.Should().BeFalse("at that very moment, whatever hangs");
        await stops.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Eventually.IsTrueAsync(() => log.Lines.Contains("Error: me could not renew the lease kube-system/x in time and leads no more"));
    }

    // The others count from when a renewal is stored: whoever counted from a late answer would lead beside the next one.
    [Test]
    public async Task A_late_answer_buys_no_time()
    {
        var answer = new TaskCompletionSource();
        Run();
        await leads.Task;
        server.Faults.Add(new Fault(Fault.On("update", "leases")) { Count = 1, Hold = () => answer.Task });
        await SettleAsync();
        clock.Advance(TimeSpan.FromSeconds(2));
        await Eventually.IsTrueAsync(() => server.Requests.Count("update") == 1);
        clock.Advance(TimeSpan.FromSeconds(7));
        server.Faults.Add(new Fault(Fault.On(null, "leases")) { Answer = new StatusException(403, "Forbidden", "no") });
        answer.SetResult();
        await Eventually.IsTrueAsync(() => server.Requests.Where("update")[0].Status == 200);
        await Task.Delay(200);
        await PassAsync(TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(0.5));

        elector.IsLeader.Should().BeTrue("it was sent at second 2");
        clock.Advance(TimeSpan.FromSeconds(0.1));

        elector.IsLeader.Should().BeFalse("ten seconds later, not ten after the answer");
        await stops.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task A_renewal_whose_answer_was_lost_is_seen_to_be_its_own()
    {
        Run();
        await leads.Task;
        server.Requests.Clear();
        server.Faults.Add(new Fault(Fault.On("update", "leases")) { Count = 1, DropAfter = true });

        await AdvanceAsync(TimeSpan.FromSeconds(2));
        await Eventually.IsTrueAsync(() => server.Requests.Where("update").Length == 3);
        await RequestsAsync(4);

        server.Requests.All.Select(r => (r.Verb, r.Status)).Should().Equal(("update", 0), ("update", 409), ("get", 200), ("update", 200));
        elector.IsLeader.Should().BeTrue();
        Spec().Should().Contain("\"leaseTransitions\":0");
    }

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

    private void Run() => running = elector.RunAsync(async leading =>
    {
        leads.TrySetResult();
        await Task.Delay(Timeout.Infinite, leading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stops.TrySetResult();
    }, stop.Token);

    private string Spec() => new JsonObject(server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x")!["spec"]!.AsObject()
        .OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone()))).ToJsonString();

    private void SetLease(string? holder, int duration = 15, string renewed = "2026-01-02T11:59:59.000000Z", int transitions = 0)
    {
        var spec = new JsonObject
        {
            ["holderIdentity"] = holder,
            ["leaseDurationSeconds"] = duration,
            ["acquireTime"] = "2026-01-02T11:00:00.000000Z",
            ["renewTime"] = renewed,
            ["leaseTransitions"] = transitions,
        };
        var lease = server.Store.Get("coordination.k8s.io/v1", "Lease", "kube-system", "x");
        if (lease is null)
        {
            var metadata = new JsonObject { ["name"] = "x", ["namespace"] = "kube-system" };
            server.Store.Create(new JsonObject { ["apiVersion"] = "coordination.k8s.io/v1", ["kind"] = "Lease", ["metadata"] = metadata, ["spec"] = spec });
            return;
        }

        lease["spec"] = spec;
        server.Store.Update(lease);
    }

    private async Task AdvanceAsync(TimeSpan time)
    {
        await SettleAsync();
        clock.Advance(time);
        await SettleAsync();
    }

    // In steps, so that what is due in between happens at its time.
    private async Task PassAsync(TimeSpan time, TimeSpan? step = null, bool wait = true)
    {
        for (var end = clock.GetUtcNow() + time; clock.GetUtcNow() < end;)
        {
            var next = step ?? TimeSpan.FromSeconds(0.5);
            if (wait)
                await SettleAsync();
            clock.Advance(next < end - clock.GetUtcNow() ? next : end - clock.GetUtcNow());
        }

        if (wait)
            await SettleAsync();
    }

    // What the elector does next waits for the clock once the server has nothing to do.
    private async Task SettleAsync()
    {
        var quiet = 0;
        await Eventually.IsTrueAsync(() => (quiet = server.Requests.InFlight == 0 ? quiet + 1 : 0) == 4);
    }

    private Task RequestsAsync(int count) => Eventually.IsTrueAsync(() => server.Requests.All.Count(r => r.Ended is not null) >= count);
}
