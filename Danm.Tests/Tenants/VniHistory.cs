using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Events;
using Danm.Networks;
using Danm.Networks.Admission;
using Danm.Tenants;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;
using Microsoft.Extensions.Time.Testing;

namespace Danm.Tests.Tenants;

/// <summary>
/// One history of the ids of two devices and the networks of two namespaces, beside the simple model of what must be true: no two stored
/// TenantNetworks have one id, nor has a network an id that another one's Pod stands on; what a network has or a Pod stands on is never freed;
/// and once all is settled only what a network has is taken. Only what people do by hand may break the first.
/// </summary>
internal sealed class VniHistory : IDisposable
{
    private const int Ids = 32, First = 500;

    /// <summary>The API server gives up a request after this time.</summary>
    private static readonly TimeSpan RequestTimeOut = TimeSpan.FromSeconds(60);

    private static readonly NetworkRef[] Names = [.. ((string[])["default", "kube-public"]).SelectMany(ns => ((string[])["a", "b"]).Select(name => new NetworkRef(NetworkKind.TenantNetwork, ns, name)))];

    private static int s_count;

    private readonly string[] devices = [$"d{Interlocked.Increment(ref s_count)}", $"d{s_count}.e"];
    private readonly EmbeddedApiServer server;
    private readonly ApiClient api;
    private readonly EventRecorder events;
    private readonly IReadOnlyList<VniReserver> webhooks;
    private readonly FakeTimeProvider clock = new();
    private readonly VniRepairOptions options;
    private readonly VniRepair[] controllers;
    private readonly TenantVnis[] vnis;
    private readonly VniHistoryPods pods;
    private readonly Lock storing = new();
    private readonly ListLogger log = new();

    // A request is at work for no time on the model's clock, which moves only while none is.
    private readonly SemaphoreSlim requests = new(8), moving = new(1);
    private readonly ConcurrentQueue<(NetworkRef Network, Vni Vni, DateTimeOffset At)> admitted = [];
    private readonly ConcurrentDictionary<Vni, bool> exposed = [];

    public VniHistory(EmbeddedApiServer server, ApiClient api, EventRecorder events, IReadOnlyList<VniReserver> webhooks, VniRepairOptions options)
    {
        (this.server, this.api, this.events, this.webhooks, this.options) = (server, api, events, webhooks, options);
        controllers = [NewController(), NewController()];
        VniRanges.TryParse($"{First}-{First + Ids - 1}", Encapsulation.Vlan, out var ranges, out _);
        vnis = [.. devices.Select(device => new TenantVnis(device, Encapsulation.Vlan, ranges))];
        pods = new VniHistoryPods(server);
    }

    /// <summary>What was wrong, the first thing first.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>How often each thing that can happen did.</summary>
    public static ConcurrentDictionary<string, int> Seen { get; } = [];

    /// <summary>A cluster in which every name has an id that nobody used, and that is about to be freed.</summary>
    public async Task RipenAsync()
    {
        for (var i = 0; i < Names.Length; i++)
            await HappenAsync(new VniHistoryStep(VniHappening.Denied, i));
        foreach (var controller in controllers)
            await PassAsync(controller);
        await MoveAsync(options.Grace);
    }

    public async Task RunAsync(IReadOnlyList<IReadOnlyList<VniHistoryStep>> lanes)
    {
        await Task.WhenAll(lanes.Select(lane => Task.Run(async () =>
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
        foreach (var vni in Stored().Select(s => s.Vni).Concat(pods.Standing.Select(p => p.Vni)))
        {
            if (!exposed.ContainsKey(vni) && server.Store.Get("danm.io/v1", "VNIAllocation", null, vni.AllocationName) is null)
                Faults.Enqueue($"{vni} was freed");
        }
    }

    /// <summary>Quiet comes, the graces end, and what is taken is compared with what is stored: with the Pods that still are, and without any.</summary>
    public async Task SettleAsync()
    {
        server.Faults.Clear();
        admitted.Clear();
        await QuietAsync();
        foreach (var pod in pods.Standing.Where(p => !exposed.ContainsKey(p.Vni)))
        {
            if (server.Store.Get("danm.io/v1", "VNIAllocation", null, pod.Vni.AllocationName) is null)
                Faults.Enqueue($"{pod.Vni} was freed under {pod.Name} of {pod.Network}");
        }

        pods.EndAll();
        await QuietAsync();
        var holders = Stored().ToLookup(s => s.Vni);
        foreach (var twins in holders.Where(h => h.Count() > 1 && !exposed.ContainsKey(h.Key)))
            Faults.Enqueue($"{twins.Key} was given to {string.Join(" and ", twins.Select(t => t.Network))}");
        var taken = server.Store.List("danm.io/v1", "VNIAllocation").ToDictionary(VniOf, a => RefOf(a["spec"]!["network"]!));
        foreach (var (vni, network) in taken)
        {
            if (!holders.Contains(vni))
                Faults.Enqueue($"leaked: {vni} of {network}");
            else if (holders[vni].First() is { IsOdd: false } holder && holder.Network != network)
                Faults.Enqueue($"{vni} is {holder.Network}'s, but names {network}");
        }

        foreach (var holder in holders.Where(h => !taken.ContainsKey(h.Key) && h.Any(n => !n.IsOdd)))
            Faults.Enqueue($"{holder.Key} of {holder.First().Network} has no VNIAllocation");
        foreach (var (part, seen) in ((string, string)[])[("which is older", "a conflict was said"), ("stands on it still", "a Pod held an id"), ("cannot be read", "an id was kept for one that nobody can read")])
        {
            if (log.Lines.Any(l => l.Contains(part, StringComparison.Ordinal)))
                Note(seen);
        }
    }

    private async Task QuietAsync()
    {
        for (var pass = 0; pass < 3; pass++)
        {
            var result = await controllers[0].RunAsync(CancellationToken.None);
            Check(result);
            foreach (var failure in result.Failures)
                Faults.Enqueue($"pass {pass}: {failure}");
            clock.Advance(options.Grace);
        }
    }

    public void Dispose()
    {
        foreach (var kind in (string[])["TenantNetwork", "VNIAllocation", "DanmEp", "IPAllocation"])
        {
            foreach (var item in server.Store.List("danm.io/v1", kind))
                server.Store.Delete("danm.io/v1", kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    private VniRepair NewController() => new(api, options, events, log, clock);

    private Task HappenAsync(VniHistoryStep step)
    {
        Note(step.What.ToString());
        return step.What switch
        {
            VniHappening.Create or VniHappening.CreateOdd or VniHappening.CreateGenerated or VniHappening.Denied or VniHappening.Admitted => CreateAsync(step),
            VniHappening.StoreLate => RequestAsync(() => Done(StoreLate)),
            VniHappening.Delete => Done(() => Delete(Names[step.Which % Names.Length])),
            VniHappening.PodReads => Done(() => PodReads(step.Which)),
            VniHappening.PodStands or VniHappening.PodStandsOddly => RequestAsync(() => Done(() => PodStands(step.What == VniHappening.PodStandsOddly))),
            VniHappening.PodEnds => Done(() => pods.End(step.Which)),
            VniHappening.Pass => PassAsync(controllers[step.Which % controllers.Length]),
            VniHappening.Restart => Done(() => controllers[step.Which % controllers.Length] = NewController()),
            VniHappening.Moment => MoveAsync(RequestTimeOut / 3),
            VniHappening.HalfGrace => MoveAsync(options.Grace / 2),
            VniHappening.Grace => MoveAsync(options.Grace),
            VniHappening.Mistake => Done(() => Mistake(step.Which)),
            VniHappening.Bypass => Done(() => Bypass(new Vni(devices[step.Which % 2], Encapsulation.Vlan, First + (step.Which % 4)))),
            VniHappening.LoseAnswer => Break(new Fault(IsWrite) { Count = 1, DropAfter = true }),
            VniHappening.BreakConnection => Break(new Fault(IsWrite) { Count = 1, DropBefore = true }),
            VniHappening.ServerError => Break(new Fault(IsWrite) { Count = 1, Answer = Fault.InternalError() }),
            VniHappening.Conflict => Break(new Fault(r => r.Verb is "update" or "delete" && r.Resource == "vniallocations") { Count = 1, Answer = Fault.Conflict() }),
            _ => Break(new Fault(r => r.Verb == "list" && r.Resource is "vniallocations" or "tenantnetworks") { Count = 1, Answer = new StatusException(403, "Forbidden", "no") }),
        };
    }

    private static bool IsWrite(RequestRecord r) => r.Verb is "create" or "update" or "delete" && r.Resource == "vniallocations";

    private static Task Done(Action action)
    {
        action();
        return Task.CompletedTask;
    }

    private Task Break(Fault fault) => Done(() => server.Faults.Add(fault));

    private async Task RequestAsync(Func<Task> request)
    {
        await requests.WaitAsync();
        try
        {
            await request();
        }
        finally
        {
            requests.Release();
        }
    }

    private async Task MoveAsync(TimeSpan time)
    {
        await moving.WaitAsync();
        for (var i = 0; i < 8; i++)
            await requests.WaitAsync();
        clock.Advance(time);
        requests.Release(8);
        moving.Release();
    }

    private Task CreateAsync(VniHistoryStep step) => RequestAsync(async () =>
    {
        var network = Names[step.Which % Names.Length];
        var isNamed = step.What != VniHappening.CreateGenerated;
        // The webhook reserves nothing for one that is there.
        if (isNamed && Exists(network))
            return;
        var from = vnis[step.Which / 24 % vnis.Length];
        Vni vni;
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(150));
        try
        {
            var request = new VniRequest(from, network.Namespace!, isNamed ? network.Name : null);
            vni = new Vni(from.Device, from.Encapsulation, await webhooks[step.Which / Names.Length % webhooks.Count].ReserveAsync(request, dryRun: false, patience.Token));
        }
        catch (Exception e) when (e is VniException or ApiException or OperationCanceledException)
        {
            Note($"not admitted ({e.GetType().Name})");
            return;
        }

        if (step.What == VniHappening.Admitted)
            admitted.Enqueue((network, vni, clock.GetUtcNow()));
        else if (step.What != VniHappening.Denied)
            Store(isNamed ? network : network with { Name = $"generated-{Guid.NewGuid():n}" }, vni, step.What == VniHappening.CreateOdd);
    });

    private void StoreLate()
    {
        while (admitted.TryDequeue(out var request))
        {
            if (clock.GetUtcNow() - request.At > RequestTimeOut)
                continue;
            Store(request.Network, request.Vni);
            Note("a network was stored late");
            return;
        }
    }

    private void Store(NetworkRef network, Vni vni, bool isOdd = false)
    {
        lock (storing)
        {
            if (Exists(network))
            {
                Note("the name was taken meanwhile");
                return;
            }

            var id = isOdd ? $"\"{vni.Id}\"" : $"{vni.Id}";
            var stored = Objects.Network("TenantNetwork", network.Name, $$$"""{"NetworkID":"n","NetworkType":"ipvlan","Options":{"host_device":"{{{vni.Device}}}","vlan":{{{id}}}}}""", network.Namespace);
            if (isOdd)
                server.Store.Load("danm.io/v1", "TenantNetwork", [stored]);
            else
                server.Store.Create(stored);
        }

        if (exposed.ContainsKey(vni))
            return;
        if (Stored().Count(s => s.Vni == vni) > 1)
            Faults.Enqueue($"{vni} was given to {network} while another has it");
        foreach (var pod in pods.Standing.Where(p => p.Vni == vni && p.Network != network))
            Faults.Enqueue($"{vni} was given to {network} while {pod.Name} of {pod.Network} stands on it");
    }

    private void Bypass(Vni vni)
    {
        exposed[vni] = true;
        Store(Names[0] with { Name = $"bypass-{Guid.NewGuid():n}" }, vni);
    }

    private void PodReads(int which)
    {
        var all = Stored().ToList();
        if (all.Count > 0)
            pods.Read(all[which % all.Count].Network, all[which % all.Count].Vni, clock.GetUtcNow());
    }

    private void PodStands(bool isOdd)
    {
        if (pods.Write(clock.GetUtcNow(), RequestTimeOut, isOdd) is { } pod && !Exists(pod.Network))
            Note("a Pod was made when its network was gone");
    }

    private bool Exists(NetworkRef network) => server.Store.Get("danm.io/v1", "TenantNetwork", network.Namespace, network.Name) is not null;

    private void Delete(NetworkRef network)
    {
        lock (storing)
        {
            if (Exists(network))
                server.Store.Delete("danm.io/v1", "TenantNetwork", network.Namespace, network.Name);
        }
    }

    private async Task PassAsync(VniRepair controller)
    {
        var before = pods.Standing;
        try
        {
            var result = await controller.RunAsync(CancellationToken.None);
            Check(result);
            foreach (var pod in before.Intersect(pods.Standing).Where(p => !exposed.ContainsKey(p.Vni) && result.Freed.Contains(p.Vni.AllocationName)))
                Faults.Enqueue($"{pod.Vni} was freed under {pod.Name} of {pod.Network}");
        }
        catch (ApiException)
        {
            Note("a pass failed");
        }
    }

    private void Check(VniRepairResult result)
    {
        Note("freed", result.Freed.Count);
        Note("restored", result.Restored.Count);
        Note("corrected", result.Corrected.Count);
        Note("could not be done", result.Failures.Count);
        foreach (var name in result.Restored)
        {
            if (!exposed.Keys.Any(vni => vni.AllocationName == name))
                Faults.Enqueue($"{name} was freed while a network had it, and made again");
        }
    }

    private void Mistake(int which)
    {
        var all = server.Store.List("danm.io/v1", "VNIAllocation");
        if (all.Count == 0)
            return;
        var victim = all[which % all.Count];
        exposed[VniOf(victim)] = true;
        try
        {
            server.Store.Delete("danm.io/v1", "VNIAllocation", null, victim.At("metadata", "name").String()!);
        }
        catch (StatusException)
        {
            // It has just been freed.
        }
    }

    /// <summary>Networks and their ids, the oldest first.</summary>
    private IEnumerable<(NetworkRef Network, Vni Vni, bool IsOdd)> Stored() => server.Store.List("danm.io/v1", "TenantNetwork")
        .OrderBy(n => n.At("metadata", "creationTimestamp").String(), StringComparer.Ordinal).ThenBy(n => n.At("metadata", "uid").String(), StringComparer.Ordinal)
        .Select(n => (RefOf(n["metadata"]!), new Vni(n.At("spec", "Options", "host_device").String()!, Encapsulation.Vlan, int.Parse(n.At("spec", "Options", "vlan")!.ToString())),
            n.At("spec", "Options", "vlan")!.GetValueKind() == System.Text.Json.JsonValueKind.String));

    private static Vni VniOf(JsonNode allocation) => new(allocation.At("spec", "device").String()!, Encapsulation.Vlan, (int)allocation.At("spec", "vni")!);

    private static NetworkRef RefOf(JsonNode named) => new(NetworkKind.TenantNetwork, named["namespace"].String(), named["name"].String()!);

    private static void Note(string what, int times = 1)
    {
        if (times > 0)
            Seen.AddOrUpdate(what, times, (_, n) => n + times);
    }
}
