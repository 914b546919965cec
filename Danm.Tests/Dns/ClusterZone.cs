using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Dns;

/// <summary>
/// The names that a cluster's Services have, made of its Namespaces, Services and EndpointSlices as CoreDNS's plugin
/// <c>kubernetes</c> makes them: the oracle for what a client in a Pod would find. May change and be asked at the same time.
/// </summary>
public sealed class ClusterZone
{
    private const uint Lifetime = 5; // seconds, CoreDNS's default
    private const int LongestChain = 8;

    private readonly Lock changing = new();
    private readonly HashSet<string> namespaces = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<(string Namespace, string Name), ZoneService> services = [];
    private readonly Dictionary<(string Namespace, string Name), ZoneSlice> slices = [];
    private uint changes;

    public DnsName Origin { get; } = DnsName.Parse("cluster.local");

    /// <summary>Takes in an object as it is now; kinds that have no names are passed over.</summary>
    public void Set(JsonObject item) => Change(item, isThere: true);

    public void Remove(JsonObject item) => Change(item, isThere: false);

    public DnsReply Answer(DnsQuery query)
    {
        if (query.Name.Within(Origin) is null)
            return DnsReply.Of(DnsCode.Refused);
        lock (changing)
        {
            if (Find(query.Name) is not { } found)
                return Nothing(DnsCode.NoSuchName);
            var reply = query.Type switch
            {
                DnsType.A or DnsType.Aaaa => DnsReply.Of([.. Addresses(query.Name, query.Type, found, 0)]),
                DnsType.Srv => Places(query.Name, found),
                DnsType.Cname => DnsReply.Of([.. found.Where(f => f.Alias is not null).Select(f => new AliasRecord(query.Name, f.Alias!, Lifetime))]),
                _ => DnsReply.Of(),
            };
            return reply.Answers.Count > 0 ? reply : Nothing(DnsCode.NoError);
        }
    }

    private void Change(JsonObject item, bool isThere)
    {
        var key = (item.At("metadata", "namespace").String() ?? "", item.At("metadata", "name").String()!);
        lock (changing)
        {
            changes++;
            switch (item["kind"].String(), isThere)
            {
                case ("Namespace", true):
                    namespaces.Add(key.Item2);
                    break;
                case ("Namespace", false):
                    namespaces.Remove(key.Item2);
                    break;
                case ("Service", true):
                    services[key] = ZoneService.Read(item);
                    break;
                case ("Service", false):
                    services.Remove(key);
                    break;
                case ("EndpointSlice", true):
                    slices[key] = ZoneSlice.Read(item);
                    break;
                case ("EndpointSlice", false):
                    slices.Remove(key);
                    break;
            }
        }
    }

    private DnsReply Nothing(DnsCode code) => DnsReply.Of(code, new AuthorityRecord(Origin, changes, Lifetime));

    /// <summary>Where a name leads to. Nothing: it is above names that may be. Null: there is no such name.</summary>
    private List<Found>? Find(DnsName name)
    {
        if (ZoneRequest.Read(name.Within(Origin)!) is not { } request)
            return null;
        if (request.Namespace.Length == 0)
            return [];
        if (!namespaces.Contains(request.Namespace))
            return null;
        if (request.Service.Length == 0)
            return [];
        if (!services.TryGetValue((request.Namespace.ToLowerInvariant(), request.Service.ToLowerInvariant()), out var service))
            return null;
        var home = new DnsName([service.Name, service.Namespace, "svc", .. Origin.Labels]);
        IEnumerable<Found> found = service switch
        {
            { Alias: { } alias } => request.Endpoint.Length == 0 ? [new Found(home, null, alias, new ZonePort("", "", 0))] : [],
            { IsHeadless: false } when request.Endpoint.Length == 0 =>
                from port in service.Ports where request.Wants(port) from address in service.Addresses select new Found(home, address, null, port),
            _ => from slice in slices.Values
                 where slice.Namespace == service.Namespace && slice.Service == service.Name
                 from endpoint in slice.Endpoints
                 where request.WantsEndpoint(endpoint.Label)
                 from port in slice.Ports
                 where request.Wants(port)
                 select new Found(new DnsName([endpoint.Label, .. home.Labels]), endpoint.Address, null, port),
        };
        return found.ToList() is { Count: > 0 } list ? list : null;
    }

    private IEnumerable<DnsRecord> Addresses(DnsName name, DnsType type, List<Found> found, int depth)
    {
        foreach (var alias in found.Select(f => f.Alias).OfType<DnsName>())
        {
            // Names of others are for the resolver before us; ours must lead somewhere.
            var target = alias.Within(Origin) is null ? [] : depth == LongestChain || Find(alias) is not { } next ? [] : Addresses(alias, type, next, depth + 1).ToArray();
            if (alias.Within(Origin) is not null && target.Length == 0)
                continue;
            yield return new AliasRecord(name, alias, Lifetime);
            foreach (var record in target)
                yield return record;
        }

        foreach (var record in found.Select(f => f.Address).OfType<IPAddress>().Distinct().Select(a => new AddressRecord(name, a, Lifetime)).Where(r => r.Type == type))
            yield return record;
    }

    private static DnsReply Places(DnsName name, List<Found> found)
    {
        var weight = (ushort)Math.Max(1, 100 / found.Count);
        var known = found.Where(f => f.Address is not null && f.Port.IsKnown).ToArray();
        return DnsReply.Of([.. known.Select(f => new ServiceRecord(name, 0, weight, (ushort)f.Port.Number, f.Name, Lifetime)).Distinct()]) with
        {
            Additional = [.. known.Select(f => new AddressRecord(f.Name, f.Address!, Lifetime)).Distinct()],
        };
    }

    /// <summary>An address or another name, and the port there.</summary>
    private sealed record Found(DnsName Name, IPAddress? Address, DnsName? Alias, ZonePort Port);
}
