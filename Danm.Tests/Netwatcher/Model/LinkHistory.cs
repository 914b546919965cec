using System.Collections.Concurrent;
using Danm.Api;
using Danm.HostLinks;
using Danm.Netlink;
using Danm.Networks;
using Danm.Netwatcher;
using Danm.Tests.Ipam.Garbage;

namespace Danm.Tests.Netwatcher.Model;

/// <summary>A node in which things happen, and netwatcher in it; says what must not have happened.</summary>
/// <param name="host">The node's links.</param>
/// <param name="vlans">Whether the node's kernel has VLANs.</param>
internal sealed class LinkHistory(IModelHost host, bool vlans)
{
    private const int Networks = 6;

    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2), BetweenEvents = TimeSpan.FromSeconds(0.4);
    private static readonly string[] Devices = ["eth0", "eth1"];

    private readonly ManualClock clock = new();
    private readonly WantedNetwork?[] networks = new WantedNetwork?[Networks];
    private readonly List<LivePod> pods = [];
    private HostReconciler reconciler = null!;
    private WantedLink? arriving;
    private int counter;

    /// <summary>What has happened in all histories, for the test to know that it tests something.</summary>
    public static ConcurrentDictionary<string, int> Seen { get; } = new();

    /// <summary>What must not have happened.</summary>
    public List<string> Faults { get; } = [];

    public void Run(IEnumerable<LinkEvent> events)
    {
        foreach (var device in Devices)
            host.AddDevice(device);
        Restart();
        foreach (var e in events)
        {
            clock.Pass(BetweenEvents);
            Arrive();
            See(e.What.ToString());
            Happen(e);
            if (Faults.Count > 0)
                return;
        }

        clock.Pass(BetweenEvents);
        Arrive();
        BecomeQuiet();
    }

    private void Happen(LinkEvent e)
    {
        var which = e.Which;
        switch (e.What)
        {
            case Happening.Network:
                var slot = Digit(ref which, Networks);
                networks[slot] = new WantedNetwork(slot, ref which, vlans, networks[slot]?.Created ?? ++counter);
                break;
            case Happening.Mtu when Pick(networks.OfType<WantedNetwork>(), ref which) is { } network:
                network.SetMtu(which);
                break;
            case Happening.NetworkGoes:
                networks[which % Networks] = null;
                break;
            case Happening.Pod when Pick(Wishes(), ref which) is { } wish:
                arriving = wish;
                break;
            case Happening.PodGoes when Pick(pods, ref which) is { } pod:
                pods.Remove(pod);
                host.DeleteChild(pod.Number);
                break;
            case Happening.Deleted when Pick(Upper(), ref which) is { } link:
                host.Delete(link.Index);
                break;
            case Happening.TakenDown when Pick(Upper(), ref which) is { } link:
                host.Set(link.Index, new LinkChange { Up = false });
                break;
            case Happening.Address when Pick(Upper(), ref which) is { } link:
                host.AddAddress(link.Index);
                break;
            case Happening.MadeRight when Pick(Wishes(), ref which) is { } wish:
                MakeByHand(wish.Parent, wish.Parent.Name, null, standard: true);
                break;
            case Happening.MadeWrong when Pick(Wishes(), ref which) is { } wish:
                MakeWrong(wish.Parent, which);
                break;
            case Happening.MadeElsewhere when Pick(Wishes(), ref which) is { } wish:
                MakeByHand(wish.Parent, $"x{++counter}", null, standard: true);
                break;
            case Happening.MadeOnTop when Pick(Upper(), ref which) is { } link:
                host.TryAdd(new LinkSpec($"t{++counter}", vlans ? new LinkKind.Vlan(99) : new LinkKind.Macvlan()) { ParentIndex = link.Index });
                break;
            case Happening.DeviceGoes when Find(Devices[which % 2]) is { } device:
                host.Delete(device.Index);
                break;
            case Happening.DeviceBack when Find(Devices[which % 2]) is null:
                host.AddDevice(Devices[which % 2]);
                break;
            case Happening.DeviceDown when Find(Devices[which % 2]) is { } device:
                host.Set(device.Index, new LinkChange { Up = !device.IsUp });
                break;
            case Happening.DeviceMtu when Find(Devices[which % 2]) is { } device:
                host.Set(device.Index, new LinkChange { Mtu = which / 2 % 2 == 0 ? 1500 : 1300 });
                break;
            case Happening.Look:
                Look(Wishes(), InUse(), isComplete: true);
                break;
            case Happening.LookEarly:
                Restart();
                for (var looks = 0; looks < 2; looks++)
                {
                    Look([.. networks.OfType<WantedNetwork>().Where(n => ((which >> n.Kind) & 1) == 1).SelectMany(n => n.Wishes)], which % 5 < 3 ? [] : InUse(), isComplete: false);
                    clock.Pass(Settle);
                }

                break;
            case Happening.Quiet:
                BecomeQuiet();
                break;
            default:
                See($"{e.What} of nothing");
                break;
        }
    }

    /// <summary>Looks until there is nothing to do, and compares with what there must be.</summary>
    private void BecomeQuiet()
    {
        const int Enough = 15;
        for (var looks = 0; looks < Enough && Faults.Count == 0; looks++)
        {
            var (problems, done, unsettled, failures) = Look(Wishes(), InUse(), isComplete: true);
            if (done == 0 && unsettled == 0)
            {
                Faults.AddRange(failures.Select(f => $"tried again and again: {f}"));
                var (links, withAddresses) = host.Read();
                Faults.AddRange(new Specification(Wishes(), links, withAddresses, InUse(), problems).Violations());
                return;
            }

            clock.Pass(TimeSpan.FromSeconds(1));
        }

        if (Faults.Count == 0)
            Faults.Add("netwatcher finds something to do for ever");
    }

    private (HashSet<string> Problems, int Done, int Unsettled, IReadOnlyList<LinkProblem> Failures) Look(List<WantedLink> wishes, HashSet<string> inUse, bool isComplete)
    {
        var plan = reconciler.Plan(wishes, inUse, isComplete, out var unsettled);
        foreach (var problem in plan.Problems)
            See($"problem: {string.Join(' ', problem.Message.Split(' ').Where(w => !w.Contains('"') && !w.Any(char.IsDigit)).Take(6))}");
        var done = 0;
        var before = host.Read().Links;
        var failures = reconciler.Apply(plan, step =>
        {
            done++;
            See($"step: {step.GetType().Name}");
            var after = host.Read().Links;
            Compare(step, before, after);
            before = after;
        });
        // A device of ours whose MTU changes at the same look is the one thing that a plan does not foresee; the next look is right.
        Faults.AddRange(failures.Where(f => !f.Message.Contains("EINVAL", StringComparison.Ordinal)).Select(f => $"refused: {f}"));
        return ([.. plan.Problems.Concat(failures).Select(p => p.Network)], done, unsettled, failures);
    }

    /// <summary>No step takes a live Pod's parent away, or touches what others made.</summary>
    private void Compare(LinkStep step, IReadOnlyList<Link> before, IReadOnlyList<Link> after)
    {
        foreach (var pod in pods.Where(p => !after.Any(l => l.Index == p.Parent)))
        {
            if (before.Any(l => l.Index == pod.Parent))
                Faults.Add($"{step}: Pod {pod.Number} has lost its parent");
        }

        foreach (var pod in pods.Where(p => p.HasChild && after.Any(l => l.Index == p.Parent) && !host.HasChild(p.Number)))
            Faults.Add($"{step}: Pod {pod.Number} has lost its interface");

        foreach (var link in before.Where(l => !Specification.IsOurs(l) && l.Name != "lo"))
        {
            var now = after.FirstOrDefault(l => l.Index == link.Index);
            if (now is null)
                Faults.Add($"{step}: {link.Name}, which is not ours, is gone");
            else if (step is LinkStep.Adopt adopt && adopt.Link.Index == link.Index)
                continue;
            else if (now.Alias != link.Alias || now.Name != link.Name || (!StandsOnOurs(link, before) && (now.Mtu, now.IsUp) != (link.Mtu, link.IsUp)))
                Faults.Add($"{step}: {link.Name}, which is not ours, has become {now}");
        }
    }

    // Of such a one the kernel itself changes the MTU with that below.
    private static bool StandsOnOurs(Link link, IReadOnlyList<Link> links) =>
        links.FirstOrDefault(l => l.Index == link.ParentIndex) is { } below && (Specification.IsOurs(below) || StandsOnOurs(below, links));

    private void Restart() => reconciler = new HostReconciler(host, Settle, clock);

    private void Arrive()
    {
        if (arriving is { } wish && host.Ensure(wish.Parent, wish.Mtu) is { } parent)
        {
            // Some delegates make no interface of the kernel's.
            var pod = new LivePod(++counter, wish.Parent.Name, parent, HasChild: counter % 3 != 0);
            pods.Add(pod);
            if (pod.HasChild)
                host.AddChild(parent, pod.Number);
            See("a Pod has come");
        }

        arriving = null;
    }

    private void MakeWrong(ParentLink parent, int which)
    {
        switch (which % 6)
        {
            case 0:
                MakeByHand(parent with { Vni = parent.Vni + 1 }, parent.Name, null, standard: true);
                break;
            case 1:
                MakeByHand(parent with { HostDevice = Devices[which / 6 % 2] }, parent.Name, null, standard: true);
                break;
            case 2:
                MakeByHand(parent, parent.Name, null, standard: false);
                break;
            case 3:
                MakeByHand(parent, parent.Name, "my own", standard: true);
                break;
            case 4:
                MakeByHand(parent with { Vni = parent.Vni + 1 }, parent.Name, "my own", standard: true);
                break;
            default:
                host.TryAdd(new LinkSpec(parent.Name, new LinkKind.Bridge()));
                break;
        }
    }

    /// <param name="parent">What it is.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="alias">What it says of itself.</param>
    /// <param name="standard">Whether its protocol resp. port are those that networks use.</param>
    private void MakeByHand(ParentLink parent, string name, string? alias, bool standard)
    {
        if (Find(parent.HostDevice) is not { } device)
            return;
        var isVlan = parent.Encapsulation == Encapsulation.Vlan;
        LinkKind kind = isVlan
            ? new LinkKind.Vlan(parent.Vni, standard ? (ushort)0x8100 : (ushort)0x88a8)
            : new LinkKind.Vxlan((uint)parent.Vni) { UnderlayIndex = device.Index, Port = standard ? (ushort)4789 : (ushort)8472 };
        host.TryAdd(new LinkSpec(name, kind) { ParentIndex = isVlan ? device.Index : null, Up = device.IsUp, Alias = alias });
    }

    private List<WantedLink> Wishes() => [.. networks.OfType<WantedNetwork>().SelectMany(n => n.Wishes)];

    private HashSet<string> InUse() => [.. pods.Select(p => p.ParentName)];

    private List<Link> Upper() => [.. host.Read().Links.Where(l => l.Name != "lo" && !Devices.Contains(l.Name))];

    private Link? Find(string name) => host.Read().Links.FirstOrDefault(l => l.Name == name);

    private static T? Pick<T>(IEnumerable<T> from, ref int which)
        where T : class
    {
        var all = from.ToList();
        return all.Count == 0 ? null : all[Digit(ref which, all.Count)];
    }

    internal static int Digit(ref int number, int of)
    {
        var digit = number % of;
        number /= of;
        return digit;
    }

    private static void See(string what) => Seen.AddOrUpdate(what, 1, (_, n) => n + 1);

    private sealed record LivePod(int Number, string ParentName, int Parent, bool HasChild);
}
