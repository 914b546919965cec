using CsCheck;
using Danm.Tests.Netwatcher.Model;

namespace Danm.Tests.Netwatcher;

/// <summary>Random histories of networks, links and Pods: what netwatcher makes of them, against a specification.</summary>
public sealed class ReconcilerModelTests
{
    private const int Histories = 20_000, RealHistories = 120;

    /// <param name="byHand">How often something happens beside networks, Pods and netwatcher.</param>
    private static Gen<LinkEvent> Event(int byHand) =>
        from what in Gen.Frequency(
            (10, Gen.Const(Happening.Network)), (2, Gen.Const(Happening.Mtu)), (3, Gen.Const(Happening.NetworkGoes)), (5, Gen.Const(Happening.Pod)), (2, Gen.Const(Happening.PodGoes)),
            (6, Gen.Const(Happening.Look)), (2, Gen.Const(Happening.LookEarly)), (3, Gen.Const(Happening.Quiet)),
            (byHand, Gen.Int[(int)Happening.Deleted, (int)Happening.DeviceMtu].Select(h => (Happening)h)))
        from which in Gen.Int[0, 6 * 4 * 3 * 2 * 2 * 6 * 4 - 1]
        select new LinkEvent(what, which);

    [Test]
    public async Task The_host_becomes_what_the_networks_say_and_nothing_that_lives_or_is_not_ours_is_touched()
    {
        LinkHistory.Seen.Clear();
        Event(byHand: 6).Array[1, 25].Sample(events => Run(new ModelKernel(), vlans: true, events), iter: Histories, threads: 1, print: events => string.Join(" ", events));

        LinkHistory.Seen.Keys.Should().Contain(Enum.GetNames<Happening>()).And.Contain(["a Pod has come", "step: Make", "step: Delete", "step: Adopt", "step: Change"]);
        await TellAsync(Histories);
    }

    [Test]
    public async Task So_does_a_real_kernel_with_VxLANs_and_macvlan_Pods()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Ignore("namespaces need root: run the tests as root");
        LinkHistory.Seen.Clear();
        Event(byHand: 18).Array[10, 25].Sample(
            events =>
            {
                using var kernel = new RealKernel();
                Run(kernel, vlans: false, events);
            },
            iter: RealHistories,
            threads: 1,
            print: events => string.Join(" ", events));

        LinkHistory.Seen.Keys.Should().Contain(["a Pod has come", "step: Make", "step: Delete", "step: Adopt", "step: Change"]);
        await TellAsync(RealHistories);
    }

    private static void Run(IModelHost host, bool vlans, LinkEvent[] events)
    {
        var history = new LinkHistory(host, vlans);
        history.Run(events);
        if (history.Faults.Count > 0)
            throw new AssertionException(string.Join('\n', history.Faults));
    }

    private static Task TellAsync(int histories) => TestContext.Progress.WriteLineAsync(
        $"{histories} histories: {string.Join(", ", LinkHistory.Seen.OrderByDescending(s => s.Value).Select(s => $"{s.Key} {s.Value}"))}");
}
