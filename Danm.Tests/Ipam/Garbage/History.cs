using System.Collections.Concurrent;
using System.Net;
using System.Text.RegularExpressions;
using Danm.Api;
using Danm.Cni;
using Danm.Ipam;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>
/// One history of a small cluster, beside the simple model of what must be true: a sandbox that lives has its address alone on the wire,
/// "exhausted" is said only where no address was free all the time, and once all is settled only what lives has anything.
/// </summary>
internal sealed class History : IAsyncDisposable
{
    private const int Nodes = 2, Pods = 5;

    private static int s_count;

    private readonly int number = Interlocked.Increment(ref s_count);
    private readonly EmbeddedApiServer server;
    private readonly ApiClient api;
    private readonly TestNode[] nodes;
    private readonly CancellationTokenSource[] boots = [.. Enumerable.Range(0, Nodes).Select(_ => new CancellationTokenSource())];
    private readonly bool[] lost = new bool[Nodes];
    private readonly SemaphoreSlim[] pods = [.. Enumerable.Range(0, Pods).Select(_ => new SemaphoreSlim(1))];
    private readonly SemaphoreSlim[] passes = [.. Enumerable.Range(0, Nodes).Select(_ => new SemaphoreSlim(1))];
    private readonly LivePod?[] live = new LivePod?[Pods];
    private readonly ConcurrentDictionary<string, bool> exposed = [];
    private readonly Segment segment;
    private int containers;
    private volatile Network network;

    public History(EmbeddedApiServer server, ApiClient api)
    {
        (this.server, this.api) = (server, api);
        server.Requests.Clear();
        nodes = [.. Enumerable.Range(0, Nodes).Select(i => new TestNode(server, api, $"h{number}-{i}"))];
        foreach (var node in nodes)
            server.Store.Create(System.Text.Json.Nodes.JsonNode.Parse($$$"""{"apiVersion":"v1","kind":"Node","metadata":{"name":"{{{node.Name}}}"},"spec":{}}""")!);
        network = NetworkOf($"w{number}", 1, 6);
        segment = Segment.Of(network);
    }

    /// <summary>What was wrong, the first thing first.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>How often each thing that can happen did.</summary>
    public static ConcurrentDictionary<string, int> Seen { get; } = [];

    public Task RunAsync(IReadOnlyList<IReadOnlyList<HistoryStep>> lanes) => Task.WhenAll(lanes.Select(lane => Task.Run(async () =>
    {
        foreach (var step in lane)
        {
            try
            {
                await HappenAsync(step);
            }
            catch (Exception e)
            {
                Faults.Enqueue($"{step}: {e}");
            }
        }
    })));

    /// <summary>Quiet comes, garbage is collected, and what is left is compared with what lives.</summary>
    public async Task SettleAsync()
    {
        server.Faults.Clear();
        while (server.Requests.InFlight > 0)
            await Task.Delay(1);
        // A Pod that would start again after a reboot keeps its former sandbox until then: here it does not.
        for (var slot = 0; slot < Pods; slot++)
        {
            if (live[slot] is { Address: null })
                Forget(slot);
        }

        // What shows each node where namespaces are, on a wire of its own.
        for (var i = 0; i < Nodes; i++)
        {
            if (lost[i])
                continue;
            nodes[i].MakeNamespace("sentinel");
            await nodes[i].AddAsync($"h{number}-s{i}", nodes[i].CreatePod($"h{number}-s{i}"), "sentinel", NetworkOf($"s{number}-{i}", 1, 6));
        }

        var controller = new GoneNodeGarbage(api, new GoneNodeOptions { DeletesPerSecond = 1_000_000 }, nodes[0].Clock);
        for (var pass = 0; pass < 3; pass++)
        {
            foreach (var node in nodes.Where((_, i) => !lost[i]))
            {
                PassTime(node);
                foreach (var finding in await node.Garbage.RunAsync(dryRun: false, CancellationToken.None))
                {
                    if (finding.Kind is FindingKind.Failed or FindingKind.WrongMount)
                        Faults.Enqueue($"pass {pass} of {node.Name}: {finding}");
                }
            }

            nodes[0].Clock.Pass(TimeSpan.FromMinutes(11));
            if (lost.Contains(true))
                await controller.RunAsync(CancellationToken.None);
        }

        Compare();
    }

    public ValueTask DisposeAsync()
    {
        foreach (var (version, kind) in ((string, string)[])[("danm.io/v1", "DanmEp"), ("danm.io/v1", "IPAllocation"), ("v1", "Node"), ("v1", "Event"), ("v1", "Pod")])
        {
            foreach (var item in server.Store.List(version, kind))
                server.Store.Delete(version, kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }

        foreach (var node in nodes)
            node.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task HappenAsync(HistoryStep step)
    {
        Note(step.What.ToString());
        return step.What switch
        {
            Happening.Add or Happening.AddStatic or Happening.KilledAdd => AddAsync(step),
            Happening.Del or Happening.KilledDel or Happening.Vanish => EndAsync(step),
            Happening.Collect => CollectAsync(step.Which % Nodes),
            Happening.EditPool => Done(() => network = NetworkOf($"w{number}", 1 + (step.Which % 4), 4 + (step.Moment % 5))),
            Happening.Mistake => Done(Mistake),
            Happening.Reboot => RebootAsync(step.Which % Nodes, forGood: false),
            Happening.LoseNode => RebootAsync(step.Which % Nodes, forGood: true),
            Happening.LoseAnswer => Done(() => server.Faults.Add(new Fault(IsWrite) { Count = 1, DropAfter = true })),
            Happening.BreakConnection => Done(() => server.Faults.Add(new Fault(IsWrite) { Count = 1, DropBefore = true })),
            _ => Done(() => server.Faults.Add(new Fault(IsWrite) { Count = 1, Answer = Fault.InternalError() })),
        };

        static Task Done(Action action)
        {
            action();
            return Task.CompletedTask;
        }
    }

    private static bool IsWrite(RequestRecord r) => r.Verb is "create" or "delete" && r.Resource is "ipallocations" or "danmeps";

    private async Task AddAsync(HistoryStep step)
    {
        var slot = step.Which % Pods;
        await pods[slot].WaitAsync();
        try
        {
            if (live[slot] is { Address: not null })
                return;
            var home = live[slot]?.Node ?? step.Which % Nodes;
            if (lost[home])
                return;
            var boot = boots[home].Token;
            var container = $"c{Interlocked.Increment(ref containers)}";
            var name = $"h{number}-p{slot}";
            var uid = live[slot]?.Uid ?? nodes[home].CreatePod(name);
            live[slot] = new LivePod(name, uid, container, home, null);
            nodes[home].MakeNamespace(container);
            using var killed = CancellationTokenSource.CreateLinkedTokenSource(boot);
            if (step.What == Happening.KilledAdd)
                killed.CancelAfter(TimeSpan.FromMicroseconds(step.Moment * 10));
            var free = FreeNow();
            var begun = server.Requests.Now;
            try
            {
                var given = await nodes[home].AddAsync(name, uid, container, network, step.What == Happening.AddStatic ? $"10.0.0.{1 + (step.Moment % 9)}" : null, killed: killed.Token);
                if (step.What == Happening.KilledAdd)
                {
                    // It was killed after its last request: the runtime never heard of it.
                    Forget(slot);
                    return;
                }

                if (boot.IsCancellationRequested)
                    return;
                live[slot] = live[slot]! with { Address = given.Address.Address };
                CheckAlone(slot);
            }
            catch (AddressException e)
            {
                Note(e.Fault.ToString());
                if (e.Fault == AddressFault.Exhausted)
                    CheckExhausted(free, begun);
                Forget(slot);
            }
            catch (Exception e) when (e is OperationCanceledException or ApiException or IOException)
            {
                Note(killed.IsCancellationRequested ? "an ADD was killed" : $"an ADD failed ({e.GetType().Name})");
                if (!boot.IsCancellationRequested)
                    Forget(slot);
            }
        }
        finally
        {
            pods[slot].Release();
        }
    }

    private async Task EndAsync(HistoryStep step)
    {
        var slot = step.Which % Pods;
        await pods[slot].WaitAsync();
        try
        {
            if (live[slot] is not { } pod)
                return;
            // From here on nobody counts on the address, and whoever else gets it does so rightly.
            live[slot] = pod with { Address = null };
            if (!lost[pod.Node] && step.What != Happening.Vanish)
            {
                using var killed = CancellationTokenSource.CreateLinkedTokenSource(boots[pod.Node].Token);
                if (step.What == Happening.KilledDel)
                    killed.CancelAfter(TimeSpan.FromMicroseconds(step.Moment * 10));
                if (await nodes[pod.Node].DelAsync(pod.Container, killed.Token))
                    Note("a DEL was killed");
            }

            Forget(slot);
        }
        finally
        {
            pods[slot].Release();
        }
    }

    // Sandbox and Pod go, whatever is left of them.
    private void Forget(int slot)
    {
        var pod = live[slot]!;
        live[slot] = null;
        nodes[pod.Node].DeleteNamespace(pod.Container);
        try
        {
            nodes[pod.Node].DeletePod(pod.Name);
        }
        catch (StatusException)
        {
            // A lost node's Pods have been deleted with it.
        }
    }

    private async Task CollectAsync(int home)
    {
        await passes[home].WaitAsync();
        try
        {
            if (lost[home])
                return;
            nodes[home].Clock.Pass(TimeSpan.FromMinutes(6));
            foreach (var finding in await nodes[home].Garbage.RunAsync(dryRun: false, boots[home].Token))
                Note($"gc: {finding.Kind}");
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            Note("a pass failed");
        }
        finally
        {
            passes[home].Release();
        }
    }

    private void Mistake()
    {
        foreach (var pod in live)
        {
            if (pod is not { Address: { } address })
                continue;
            exposed[address.ToString()] = true;
            try
            {
                server.Store.Delete("danm.io/v1", "IPAllocation", null, AllocationName.For(address, segment));
                Note("an IPAllocation was deleted");
            }
            catch (StatusException)
            {
                // Its DEL was faster.
            }

            return;
        }
    }

    private async Task RebootAsync(int home, bool forGood)
    {
        if (lost[home])
            return;
        await boots[home].CancelAsync();
        // A node that boots runs nothing: what was at work there has ended first.
        foreach (var gate in (SemaphoreSlim[])[.. pods, passes[home]])
            await gate.WaitAsync();
        try
        {
            if (lost[home])
                return;
            nodes[home].Reboot();
            boots[home] = new CancellationTokenSource();
            lost[home] = forGood;
            if (forGood)
                server.Store.Delete("v1", "Node", null, nodes[home].Name);
            for (var slot = 0; slot < Pods; slot++)
            {
                if (live[slot] is not { } pod || pod.Node != home)
                    continue;
                live[slot] = pod with { Address = null };
                if (forGood)
                    Forget(slot);
            }
        }
        finally
        {
            foreach (var gate in (SemaphoreSlim[])[.. pods, passes[home]])
                gate.Release();
        }
    }

    private HashSet<IPAddress> FreeNow()
    {
        var pool = AddressPool.IPv4(network)!;
        var free = Enumerable.Range(0, (int)pool.Size).Select(i => pool.At((UInt128)i)).Where(a => !pool.IsReserved(a)).ToHashSet();
        free.ExceptWith(OnTheWire().Select(a => AllocationName.TryParse(a, out var address, out _) ? address : IPAddress.None));
        return free;
    }

    // Free before and after, and not freed in between: then it was free all the time.
    private void CheckExhausted(HashSet<IPAddress> before, TimeSpan begun)
    {
        var always = FreeNow();
        always.IntersectWith(before);
        foreach (var request in server.Requests.Where("delete", "ipallocations").Where(r => r.Ended is null || r.Ended >= begun))
        {
            if (AllocationName.TryParse(request.Name, out var freed, out _))
                always.Remove(freed);
        }

        always.RemoveWhere(a => exposed.ContainsKey(a.ToString()));
        if (always.Count > 0)
            Faults.Enqueue($"\"exhausted\" was said while {string.Join(' ', always)} was free");
    }

    private void CheckAlone(int slot)
    {
        var pod = live[slot]!;
        var others = live.Where((other, i) => i != slot && other is { Address: not null } && other.Address.Equals(pod.Address)).ToList();
        if (others.Count > 0 && !exposed.ContainsKey(pod.Address!.ToString()))
            Faults.Enqueue($"{pod} and {others[0]} have the same address");
    }

    private void Compare()
    {
        var living = live.OfType<LivePod>().Where(p => p.Address is not null).ToList();
        foreach (var twins in living.GroupBy(p => p.Address!).Where(g => g.Count() > 1 && !exposed.ContainsKey(g.Key.ToString())))
            Faults.Enqueue($"{string.Join(" and ", twins)} have the same address");
        foreach (var name in OnTheWire())
        {
            var owner = server.Store.Get("danm.io/v1", "IPAllocation", null, name)!.At("spec", "owner", "containerID").String();
            if (!living.Exists(p => p.Container == owner && AllocationName.For(p.Address!, segment) == name))
                Faults.Enqueue($"leaked: {name} of container {owner}");
        }

        foreach (var pod in living)
        {
            var holder = server.Store.Get("danm.io/v1", "IPAllocation", null, AllocationName.For(pod.Address!, segment));
            if (holder is null || (holder.At("spec", "owner", "containerID").String() != pod.Container && !exposed.ContainsKey(pod.Address!.ToString())))
                Faults.Enqueue($"{pod} lives, and has lost its address to {holder?.ToJsonString() ?? "nobody"}");
        }

        var endpoints = server.Store.List("danm.io/v1", "DanmEp").Select(e => e.At("spec", "CID").String()).Where(c => c != "sentinel");
        if (!endpoints.Order().SequenceEqual(living.Select(p => p.Container).Order()))
            Faults.Enqueue($"DanmEps of {string.Join(' ', endpoints)}; {string.Join(' ', living)} live");
        var journals = nodes.Where((_, i) => !lost[i]).SelectMany(n => n.State.Survey()).Select(j => j.ContainerId).Where(c => c != "sentinel");
        if (!journals.Order().SequenceEqual(living.Select(p => p.Container).Order()))
            Faults.Enqueue($"journals of {string.Join(' ', journals)}; {string.Join(' ', living)} live");
    }

    private IEnumerable<string> OnTheWire() => server.Store.List("danm.io/v1", "IPAllocation")
        .Select(a => a.At("metadata", "name").String()!).Where(n => n.EndsWith($".{segment.Name}", StringComparison.Ordinal));

    // What was deferred is old enough for nothing of it to come any more.
    private static void PassTime(TestNode node)
    {
        node.Clock.Pass(TimeSpan.FromMinutes(6));
        var folder = Path.Combine(node.State.Folder, "sandboxes");
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder) : [])
            File.WriteAllText(file, Regex.Replace(File.ReadAllText(file), "\"DeferredAt\":(\\d+)", m => $"\"DeferredAt\":{long.Parse(m.Groups[1].Value) - 91_000}"));
    }

    private static Network NetworkOf(string wire, int first, int last) => new()
    {
        Metadata = new ObjectMeta { Name = "n", Namespace = "default" },
        Spec = new NetworkSpec
        {
            NetworkId = "n",
            Options = new NetworkOptions { HostDevice = wire, Cidr = "10.0.0.0/24", AllocationPool = new AllocationPool { Start = $"10.0.0.{first}", End = $"10.0.0.{last}" } },
        },
    };

    private static void Note(string what) => Seen.AddOrUpdate(what, 1, (_, n) => n + 1);

    /// <param name="Name">The Pod.</param>
    /// <param name="Uid">Its UID.</param>
    /// <param name="Container">Its sandbox.</param>
    /// <param name="Node">The node's number.</param>
    /// <param name="Address">Its address; null while it has none for certain.</param>
    private sealed record LivePod(string Name, string Uid, string Container, int Node, IPAddress? Address);
}
