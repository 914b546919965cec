using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>One history of a cluster: its steps happen while svcwatcher works, and when all is quiet its slices are as the specification says.</summary>
internal sealed class ClusterHistory(ModelCluster cluster)
{
    private const int CrowdSize = 230;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static readonly string[] Spaces = ["a", "b"];

    // Before what uses them goes: nothing is orphaned in between, which would be another history.
    private static readonly string[] Nodes = ["n1", "n2", "n3"];

    private static readonly (string Version, string Kind)[] Kinds = [("v1", "Service"), ("danm.io/v1", "DanmEp"), ("v1", "Pod"), ("v1", "Node")];

    /// <summary>How often each thing that can happen did.</summary>
    public static ConcurrentDictionary<string, int> Seen { get; } = [];

    public async Task RunAsync(IEnumerable<ClusterStep> steps)
    {
        foreach (var node in Nodes)
            cluster.Store.Create(ClusterObjects.Node(node, ""));
        ClusterObjects.Beginning(Spaces[0], cluster.Store);
        foreach (var step in steps)
        {
            Note(step.What.ToString());
            await HappenAsync(step.What, new Choices(step.Which));
        }
    }

    /// <summary>Nothing happens any more, and what is shown becomes what shall be.</summary>
    /// <exception cref="AssertionException">It does not, or something wrong was shown before.</exception>
    public async Task SettleAsync()
    {
        cluster.Server.Faults.Clear();
        var begun = Stopwatch.GetTimestamp();
        var (wanted, present) = Look();
        while (!wanted.SequenceEqual(present))
        {
            if (cluster.WhyEnded is { } why)
                throw new AssertionException(why);
            if (Stopwatch.GetElapsedTime(begun) > Patience)
            {
                throw new AssertionException($"not within {Patience.TotalSeconds} s:\nmissing:\n  {string.Join("\n  ", wanted.Except(present))}\ntoo much:\n  {string.Join("\n  ", present.Except(wanted))}\n"
                    + $"log:\n  {string.Join("\n  ", cluster.Log.Lines.TakeLast(20))}\n"
                    + $"at {cluster.Server.Requests.Now}; watches and last requests:\n  {string.Join("\n  ", cluster.Server.Requests.All.Where(r => r.Verb is "list" or "watch" or "patch").TakeLast(60).Concat(cluster.Server.Requests.All.TakeLast(20)))}");
            }

            await Task.Delay(5);
            (wanted, present) = Look();
        }

        if (!cluster.Witness.Faults.IsEmpty)
            throw new AssertionException(string.Join('\n', cluster.Witness.Faults));
        Note("an endpoint", wanted.Count(l => l.Contains(" ready=", StringComparison.Ordinal)));
        Note("a Service of several slices", Ours().GroupBy(s => (Facts.Space(s), Facts.Label(s, Facts.ServiceName), s.At("addressType").String())).Count(g => g.Count() > 1));
    }

    /// <summary>All goes, for the next history; svcwatcher does not wait for it.</summary>
    public async Task LeaveAsync()
    {
        await cluster.EndAsync(1);
        foreach (var (version, kind) in Kinds)
        {
            foreach (var item in cluster.Store.List(version, kind))
                Remove(version, kind, item);
        }

        foreach (var foreign in cluster.Store.List("discovery.k8s.io/v1", "EndpointSlice").Where(s => Facts.Label(s, Facts.ManagedBy) != Facts.Ours))
            Remove("discovery.k8s.io/v1", "EndpointSlice", foreign);
    }

    private (List<string> Wanted, List<string> Present) Look() => (Specification.Wanted(cluster.Store), Specification.Present(cluster.Store));

    private async Task HappenAsync(ClusterHappening what, Choices choices)
    {
        switch (what)
        {
            case ClusterHappening.Pause:
                await Task.Delay(1 + (choices.Next(5) * 10));
                break;
            case ClusterHappening.Restart:
                await cluster.EndAsync(0);
                cluster.Begin();
                break;
            case ClusterHappening.TakeOver:
                await cluster.EndAsync(1);
                cluster.Begin();
                break;
            case ClusterHappening.Service or ClusterHappening.ServiceGoes or ClusterHappening.ServiceAnew:
                Service(what, choices);
                break;
            case ClusterHappening.Pod or ClusterHappening.PodStatus or ClusterHappening.PodTerminates or ClusterHappening.PodGoes or ClusterHappening.PodAnew:
                Pod(what, choices);
                break;
            case ClusterHappening.Interface or ClusterHappening.InterfaceChanges or ClusterHappening.InterfaceGoes:
                Interface(what, choices);
                break;
            case ClusterHappening.Crowd or ClusterHappening.CrowdGoes:
                Crowd(what, choices);
                break;
            case ClusterHappening.Node:
                Node(choices);
                break;
            case ClusterHappening.SliceEdited or ClusterHappening.SliceDeleted or ClusterHappening.SliceReplaced:
                Meddle(what, choices);
                break;
            case ClusterHappening.EndpointsEdited or ClusterHappening.EndpointsDeleted:
                MeddleOld(what, choices);
                break;
            default:
                Break(what, choices);
                break;
        }
    }

    private void Service(ClusterHappening what, Choices choices)
    {
        var (ns, name) = (Space(ref choices), choices.Of("s0", "s1"));
        var present = cluster.Store.Get("v1", "Service", ns, name);
        if (what == ClusterHappening.ServiceGoes)
        {
            if (present is not null)
                Remove("v1", "Service", present);
            return;
        }

        var service = ClusterObjects.Service(ns, name, choices);
        if (present is not null && (what == ClusterHappening.ServiceAnew || !TryUpdate(service)))
        {
            Remove("v1", "Service", present);
            present = null;
        }

        if (present is null)
            cluster.Store.Create(service);
    }

    private void Pod(ClusterHappening what, Choices choices)
    {
        var (ns, name) = (Space(ref choices), choices.Of("p0", "p1", "p2"));
        var present = cluster.Store.Get("v1", "Pod", ns, name);
        if (present is null)
        {
            var made = cluster.Store.Create(ClusterObjects.Pod(ns, name, choices));
            made["status"] = ClusterObjects.Status("True", "Running");
            cluster.Store.Overwrite(made);
            return;
        }

        switch (what)
        {
            case ClusterHappening.Pod:
                present["metadata"]!["labels"] = ClusterObjects.PodLabels(ref choices);
                cluster.Store.Overwrite(present);
                break;
            case ClusterHappening.PodStatus:
                present["status"] = ClusterObjects.PodStatus(choices);
                cluster.Store.Overwrite(present);
                break;
            case ClusterHappening.PodTerminates:
                present["metadata"]!["deletionTimestamp"] = "2026-01-02T03:04:05Z";
                cluster.Store.Overwrite(present);
                break;
            default:
                Remove("v1", "Pod", present);
                if (what == ClusterHappening.PodAnew)
                    cluster.Store.Create(ClusterObjects.Pod(ns, name, choices));
                else if (choices.Next(2) > 0)
                    InterfacesOf(present).ForEach(r => Remove("danm.io/v1", "DanmEp", r));
                break;
        }
    }

    private void Interface(ClusterHappening what, Choices choices)
    {
        if (what == ClusterHappening.Interface)
        {
            var pods = cluster.Store.List("v1", "Pod");
            if (pods.Count == 0)
                return;
            var record = ClusterObjects.Interface(pods[choices.Next(pods.Count)], choices);
            if (cluster.Store.Get("danm.io/v1", "DanmEp", Facts.Space(record), Facts.Name(record)) is { } present)
                Remove("danm.io/v1", "DanmEp", present);
            cluster.Store.Create(record);
            return;
        }

        var all = cluster.Store.List("danm.io/v1", "DanmEp");
        if (all.Count == 0)
            return;
        var chosen = all[choices.Next(all.Count)];
        if (what == ClusterHappening.InterfaceGoes)
        {
            Remove("danm.io/v1", "DanmEp", chosen);
            return;
        }

        chosen["spec"]!["Interface"] = ClusterObjects.Addresses(choices, choices.Of("eth0", "eth0", "eth1"));
        _ = TryUpdate(chosen);
    }

    private void Crowd(ClusterHappening what, Choices choices)
    {
        var (ns, part) = (Spaces[0], 2 + choices.Next(3));
        for (var i = 0; i < CrowdSize; i++)
        {
            var present = cluster.Store.Get("v1", "Pod", ns, $"c{i}");
            if (what == ClusterHappening.CrowdGoes && present is not null && (i % part) != 0)
            {
                Remove("v1", "Pod", present);
                InterfacesOf(present).ForEach(r => Remove("danm.io/v1", "DanmEp", r));
            }
            else if (what == ClusterHappening.Crowd && present is null)
            {
                var (pod, record) = ClusterObjects.OfCrowd(ns, i);
                var made = cluster.Store.Create(pod);
                cluster.Store.Create(record(made));
                made["status"] = ClusterObjects.Status("True", "Running");
                cluster.Store.Overwrite(made);
            }
        }
    }

    private void Node(Choices choices)
    {
        var (name, zone) = (choices.Of(Nodes), choices.Of("west", "east", "", "gone"));
        var present = cluster.Store.Get("v1", "Node", null, name);
        if (present is not null)
            Remove("v1", "Node", present);
        if (zone != "gone")
            cluster.Store.Create(ClusterObjects.Node(name, zone));
    }

    private void Meddle(ClusterHappening what, Choices choices)
    {
        var ours = Ours();
        if (ours.Count == 0)
            return;
        var slice = ours[choices.Next(ours.Count)];
        cluster.Witness.Meddle(() =>
        {
            if (what == ClusterHappening.SliceEdited)
            {
                switch (choices.Next(3))
                {
                    case 0:
                        slice["endpoints"] = new JsonArray();
                        break;
                    case 1:
                        slice["ports"] = new JsonArray();
                        break;
                    default:
                        slice["metadata"]!["labels"]![Facts.ServiceName] = choices.Of("s0", "s1", "other");
                        break;
                }

                _ = TryUpdate(slice);
                return;
            }

            Remove("discovery.k8s.io/v1", "EndpointSlice", slice);
            if (what == ClusterHappening.SliceDeleted)
                return;
            var metadata = (JsonObject)slice["metadata"]!;
            metadata["labels"]![Facts.ManagedBy] = "somebody.example.org";
            foreach (var field in (string[])["uid", "resourceVersion", "creationTimestamp", "ownerReferences"])
                metadata.Remove(field);
            _ = IsDone(() => cluster.Store.Create(slice));
        });
    }

    private void MeddleOld(ClusterHappening what, Choices choices)
    {
        var all = cluster.Store.List("v1", "Endpoints");
        if (all.Count == 0)
            return;
        var endpoints = all[choices.Next(all.Count)];
        if (what == ClusterHappening.EndpointsDeleted)
        {
            Remove("v1", "Endpoints", endpoints);
            return;
        }

        endpoints["subsets"] = new JsonArray(new JsonObject { ["addresses"] = new JsonArray(new JsonObject { ["ip"] = "10.9.9.9" }), ["ports"] = new JsonArray(new JsonObject { ["port"] = 7 }) });
        _ = TryUpdate(endpoints);
    }

    private void Break(ClusterHappening what, Choices choices)
    {
        var times = 1 + choices.Next(2);
        if (what is ClusterHappening.WatchesEnd or ClusterHappening.HistoryForgotten)
        {
            if (what == ClusterHappening.HistoryForgotten)
                cluster.Store.Compact();
            var (version, kind) = choices.Of(("v1", "Service"), ("v1", "Pod"), ("danm.io/v1", "DanmEp"), ("discovery.k8s.io/v1", "EndpointSlice"), ("v1", "Endpoints"), ("v1", "Node"));
            cluster.Store.CloseWatches(version, kind);
            return;
        }

        cluster.Server.Faults.Add(what switch
        {
            ClusterHappening.Refused => new Fault(IsWrite) { Count = times, Answer = new StatusException(403, "Forbidden", "no") },
            ClusterHappening.Conflict => new Fault(IsWrite) { Count = times, Answer = Fault.Conflict() },
            ClusterHappening.LostAnswer => new Fault(IsWrite) { Count = 1, DropAfter = true },
            ClusterHappening.BrokenConnection => new Fault(IsWrite) { Count = 1, DropBefore = true },
            _ => new Fault(IsWrite) { Count = times, Answer = Fault.InternalError() },
        });

        static bool IsWrite(RequestRecord r) => r.Resource is "endpointslices" or "endpoints" or "danmeps" && r.Verb is "create" or "update" or "patch" or "delete";
    }

    // Most happens where most is.
    private static string Space(ref Choices choices) => choices.Of(Spaces[0], Spaces[0], Spaces[0], Spaces[1]);

    private IReadOnlyList<JsonObject> Ours() => [.. cluster.Store.List("discovery.k8s.io/v1", "EndpointSlice").Where(s => Facts.Label(s, Facts.ManagedBy) == Facts.Ours)];

    private List<JsonObject> InterfacesOf(JsonObject pod) =>
        [.. cluster.Store.List("danm.io/v1", "DanmEp", Facts.Space(pod)).Where(r => r.At("spec", "Pod").String() == Facts.Name(pod))];

    /// <returns>Whether it could be; otherwise such a change is not allowed, or somebody was faster.</returns>
    private bool TryUpdate(JsonObject item) => IsDone(() => cluster.Store.Update(item));

    private void Remove(string version, string kind, JsonObject item) => _ = IsDone(() => cluster.Store.Delete(version, kind, item.At("metadata", "namespace").String(), Facts.Name(item)));

    private static bool IsDone(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (StatusException)
        {
            return false;
        }
    }

    private static void Note(string what, int times = 1)
    {
        if (times > 0)
            Seen.AddOrUpdate(what, times, (_, n) => n + times);
    }
}
