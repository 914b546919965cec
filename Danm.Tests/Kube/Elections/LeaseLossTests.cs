using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Kube.Elections;

/// <summary>When a leader goes, and when it need not.</summary>
public sealed class LeaseLossTests : LeaseFixture
{
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
}
