using System.Collections.Concurrent;
using System.Text.Json.Nodes;
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
/// One history of the ids of a device, beside the simple model of what must be true: no two stored TenantNetworks have one id, what one has
/// is never freed, and once all is settled only what one has is taken. Only what people do by hand may break the first.
/// </summary>
internal sealed class VniHistory : IDisposable
{
    private const int Ids = 32, First = 500;

    /// <summary>The API server gives up a request after this time.</summary>
    private static readonly TimeSpan RequestTimeOut = TimeSpan.FromSeconds(60);

    private static readonly string[] Names = ["a", "b", "c"];

    private static int s_count;

    private readonly string device = $"d{Interlocked.Increment(ref s_count)}";
    private readonly EmbeddedApiServer server;
    private readonly ApiClient api;
    private readonly EventRecorder events;
    private readonly IReadOnlyList<VniReserver> webhooks;
    private readonly FakeTimeProvider clock = new();
    private readonly VniRepairOptions options;
    private readonly VniRepair[] controllers;
    private readonly TenantVnis vnis;
    private readonly ListLogger log = new();

    // A request is at work for no time on the model's clock, which moves only while none is.
    private readonly SemaphoreSlim requests = new(8), moving = new(1);
    private readonly ConcurrentQueue<(string Name, int Id, DateTimeOffset At)> admitted = [];
    private readonly ConcurrentDictionary<int, bool> exposed = [];

    public VniHistory(EmbeddedApiServer server, ApiClient api, EventRecorder events, IReadOnlyList<VniReserver> webhooks, VniRepairOptions options)
    {
        (this.server, this.api, this.events, this.webhooks, this.options) = (server, api, events, webhooks, options);
        controllers = [NewController(), NewController()];
        VniRanges.TryParse($"{First}-{First + Ids - 1}", Encapsulation.Vlan, out var ranges, out _);
        vnis = new TenantVnis(device, Encapsulation.Vlan, ranges);
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
        foreach (var (name, id) in Stored())
        {
            if (!exposed.ContainsKey(id) && server.Store.Get("danm.io/v1", "VNIAllocation", null, NameOf(id)) is null)
                Faults.Enqueue($"{id} of {name} was freed");
        }
    }

    /// <summary>Quiet comes, the graces end, and what is taken is compared with what is stored.</summary>
    public async Task SettleAsync()
    {
        server.Faults.Clear();
        admitted.Clear();
        for (var pass = 0; pass < 3; pass++)
        {
            var result = await controllers[0].RunAsync(CancellationToken.None);
            Check(result);
            foreach (var failure in result.Failures)
                Faults.Enqueue($"pass {pass}: {failure}");
            clock.Advance(options.Grace);
        }

        var holders = Stored().ToLookup(s => s.Id, s => s.Name);
        foreach (var twins in holders.Where(h => h.Count() > 1 && !exposed.ContainsKey(h.Key)))
            Faults.Enqueue($"{twins.Key} was given to {string.Join(" and ", twins)}");
        var taken = server.Store.List("danm.io/v1", "VNIAllocation").ToDictionary(a => (int)a.At("spec", "vni")!, a => a.At("spec", "network", "name").String()!);
        foreach (var (id, name) in taken)
        {
            if (!holders.Contains(id))
                Faults.Enqueue($"leaked: {id} of {name}");
            else if (holders[id].First() != name)
                Faults.Enqueue($"{id} is {holders[id].First()}'s, but names {name}");
        }

        foreach (var holder in holders.Where(h => !taken.ContainsKey(h.Key)))
            Faults.Enqueue($"{holder.Key} of {holder.First()} has no VNIAllocation");
        if (log.Lines.Any(l => l.Contains("which is older", StringComparison.Ordinal)))
            Note("a conflict was said");
    }

    public void Dispose()
    {
        foreach (var kind in (string[])["TenantNetwork", "VNIAllocation"])
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
            VniHappening.Create or VniHappening.CreateGenerated or VniHappening.Denied or VniHappening.Admitted => CreateAsync(step),
            VniHappening.StoreLate => RequestAsync(() => Done(StoreLate)),
            VniHappening.Delete => Done(() => Delete(Names[step.Which % Names.Length])),
            VniHappening.Pass => PassAsync(controllers[step.Which % controllers.Length]),
            VniHappening.Restart => Done(() => controllers[step.Which % controllers.Length] = NewController()),
            VniHappening.Moment => MoveAsync(RequestTimeOut / 3),
            VniHappening.HalfGrace => MoveAsync(options.Grace / 2),
            VniHappening.Grace => MoveAsync(options.Grace),
            VniHappening.Mistake => Done(() => Mistake(step.Which)),
            VniHappening.Bypass => Done(() => Bypass(First + (step.Which % 4))),
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
        var name = step.What == VniHappening.CreateGenerated ? null : Names[step.Which % Names.Length];
        // The webhook reserves nothing for one that is there.
        if (name is not null && Exists(name))
            return;
        int id;
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(150));
        try
        {
            id = await webhooks[step.Which / Names.Length % webhooks.Count].ReserveAsync(new VniRequest(vnis, "default", name), dryRun: false, patience.Token);
        }
        catch (Exception e) when (e is VniException or ApiException or OperationCanceledException)
        {
            Note($"not admitted ({e.GetType().Name})");
            return;
        }

        if (step.What == VniHappening.Admitted)
            admitted.Enqueue((name!, id, clock.GetUtcNow()));
        else if (step.What != VniHappening.Denied)
            Store(name ?? $"generated-{Guid.NewGuid():n}", id);
    });

    private void StoreLate()
    {
        while (admitted.TryDequeue(out var request))
        {
            if (clock.GetUtcNow() - request.At > RequestTimeOut)
                continue;
            Store(request.Name, request.Id);
            Note("a network was stored late");
            return;
        }
    }

    private void Store(string name, int id)
    {
        try
        {
            server.Store.Create(Objects.Network("TenantNetwork", name, $$$"""{"NetworkID":"n","NetworkType":"ipvlan","Options":{"host_device":"{{{device}}}","vlan":{{{id}}}}}"""));
        }
        catch (StatusException e) when (e.Code == 409)
        {
            Note("the name was taken meanwhile");
            return;
        }

        if (Stored().Count(s => s.Id == id) > 1 && !exposed.ContainsKey(id))
            Faults.Enqueue($"{id} was given to {name} while another has it");
    }

    private void Bypass(int id)
    {
        exposed[id] = true;
        Store($"bypass-{Guid.NewGuid():n}", id);
    }

    private bool Exists(string name) => server.Store.Get("danm.io/v1", "TenantNetwork", "default", name) is not null;

    private void Delete(string name)
    {
        try
        {
            if (Exists(name))
                server.Store.Delete("danm.io/v1", "TenantNetwork", "default", name);
        }
        catch (StatusException)
        {
            // Somebody else was faster.
        }
    }

    private async Task PassAsync(VniRepair controller)
    {
        try
        {
            Check(await controller.RunAsync(CancellationToken.None));
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
            if (!exposed.Keys.Any(id => NameOf(id) == name))
                Faults.Enqueue($"{name} was freed while a network had it, and made again");
        }
    }

    private void Mistake(int which)
    {
        var all = server.Store.List("danm.io/v1", "VNIAllocation");
        if (all.Count == 0)
            return;
        var victim = all[which % all.Count];
        exposed[(int)victim.At("spec", "vni")!] = true;
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
    private IEnumerable<(string Name, int Id)> Stored() => server.Store.List("danm.io/v1", "TenantNetwork")
        .OrderBy(n => n.At("metadata", "creationTimestamp").String(), StringComparer.Ordinal).ThenBy(n => n.At("metadata", "uid").String(), StringComparer.Ordinal)
        .Select(n => (n.At("metadata", "name").String()!, (int)n.At("spec", "Options", "vlan")!));

    private string NameOf(int id) => new Vni(device, Encapsulation.Vlan, id).AllocationName;

    private static void Note(string what, int times = 1)
    {
        if (times > 0)
            Seen.AddOrUpdate(what, times, (_, n) => n + times);
    }
}
