using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>
/// Sees every change at the moment when the API server makes it, and says which write of a slice shows what was never true: an address that
/// its Pod never had, one of a network that the Service never chose, a Pod's name with another Pod's uid. What is shown late may be over, but
/// must have been.
/// </summary>
internal sealed class SliceWitness
{
    private const string AnyUid = "";

    private readonly HashSet<(string Space, string Pod, string Uid)> pods = [];
    private readonly HashSet<(string Space, string Service, string Uid)> services = [];
    private readonly HashSet<(string Space, string Service, (string, string) Network)> networks = [];
    private readonly Dictionary<(string Space, string Address, string Pod, string Uid), HashSet<(string, string)>> addresses = [];
    private int meddler = -1;

    /// <summary>What was wrong.</summary>
    public ConcurrentQueue<string> Faults { get; } = [];

    /// <summary>How many writes of slices it has judged.</summary>
    public int Judged { get; private set; }

    /// <summary>What another one than svcwatcher does to a slice, on this thread.</summary>
    public void Meddle(Action action)
    {
        Volatile.Write(ref meddler, Environment.CurrentManagedThreadId);
        try
        {
            action();
        }
        finally
        {
            Volatile.Write(ref meddler, -1);
        }
    }

    /// <summary>Takes a change; the server makes one at a time.</summary>
    public void See(string kind, JsonNode item)
    {
        var space = Facts.Space(item);
        switch (kind)
        {
            case "Pod":
                pods.Add((space, Facts.Name(item), Facts.Uid(item)));
                break;
            case "Service":
                services.Add((space, Facts.Name(item), Facts.Uid(item)));
                foreach (var network in Facts.Variant(item)?.Networks ?? [])
                    networks.Add((space, Facts.Name(item), network));
                break;
            case "DanmEp":
                foreach (var address in ((string[])["IPv4", "IPv6"]).Select(f => Facts.Address(item, f)).OfType<string>())
                {
                    var key = (space, address, item.At("spec", "Pod").String() ?? "", item.At("spec", "PodUID").String() ?? AnyUid);
                    if (!addresses.TryGetValue(key, out var known))
                        addresses[key] = known = [];
                    known.Add(Facts.Network(item));
                }

                break;
            case "EndpointSlice" when Facts.Label(item, Facts.ManagedBy) == Facts.Ours && Volatile.Read(ref meddler) != Environment.CurrentManagedThreadId:
                Judge(item);
                break;
        }
    }

    private void Judge(JsonNode slice)
    {
        Judged++;
        var (space, service) = (Facts.Space(slice), Facts.Label(slice, Facts.ServiceName) ?? "");
        if (!services.Contains((space, service, slice.At("metadata", "ownerReferences")?[0].At("uid").String() ?? "")))
            Faults.Enqueue($"a slice of {space}/{service} is owned by what was never there: {slice}");
        var endpoints = slice.At("endpoints") as JsonArray ?? [];
        if (endpoints.Count > 100)
            Faults.Enqueue($"a slice of {space}/{service} has {endpoints.Count} endpoints");
        if (endpoints.Select(e => e.At("addresses")?[0].String()).Distinct().Count() < endpoints.Count)
            Faults.Enqueue($"a slice of {space}/{service} has an address twice: {slice}");
        foreach (var endpoint in endpoints)
        {
            var (address, pod, uid) = (endpoint.At("addresses")?[0].String() ?? "", endpoint.At("targetRef", "name").String() ?? "", endpoint.At("targetRef", "uid").String() ?? "");
            if (!pods.Contains((space, pod, uid)))
                Faults.Enqueue($"{space}/{service}: {pod} never had the uid {uid}");
            (string, string)[] on = [.. addresses.GetValueOrDefault((space, address, pod, uid)) ?? [], .. addresses.GetValueOrDefault((space, address, pod, AnyUid)) ?? []];
            if (on.Length == 0)
                Faults.Enqueue($"{space}/{service}: the {pod} of uid {uid} never had {address}");
            else if (!on.Any(n => networks.Contains((space, service, n))))
                Faults.Enqueue($"{space}/{service}: {address} is of {string.Join(" or ", on)}, which the Service never chose");
        }
    }
}
