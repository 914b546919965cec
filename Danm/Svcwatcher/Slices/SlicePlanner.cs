using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Svcwatcher.Slices;

/// <summary>
/// Packs a Service's endpoints into slices with as few writes as possible, as Kubernetes' own controller does: what stays the same is not
/// touched, what comes fills slices that are written anyhow, then one that has room for all of it, then new ones. Slices that are written
/// anyhow are also merged, which costs nothing more.
/// </summary>
internal static class SlicePlanner
{
    /// <summary>Kubernetes' own default.</summary>
    public const int MostEndpoints = 100;

    /// <summary>The writes that lead from what is to what shall be.</summary>
    /// <param name="sight">The Service and its interfaces; it has a choice.</param>
    /// <param name="present">The slices of ours that have its name.</param>
    /// <param name="trigger">When what has changed happened; null: not known.</param>
    public static SlicePlan Plan(ServiceSight sight, IReadOnlyList<EndpointSlice> present, string? trigger)
    {
        var template = new SliceTemplate(sight.Service);
        var families = DesiredEndpoints.FamiliesOf(sight.Service);
        var create = new List<EndpointSlice>();
        var update = new List<EndpointSlice>();
        var delete = new List<EndpointSlice>();
        delete.AddRange(present.Where(s => !template.Owns(s) || !families.Contains(s.AddressType)));
        foreach (var family in families)
        {
            var drafts = present.Where(s => s.AddressType == family && template.Owns(s)).OrderBy(s => s.Metadata.Name, StringComparer.Ordinal)
                .Select(s => new Draft(s, template.Fits(s))).ToList();
            Distribute(drafts, DesiredEndpoints.Of(sight, family));
            KeepOne(drafts);
            foreach (var draft in drafts)
            {
                if (draft.Present is null)
                    create.Add(template.Make(family, draft.Endpoints, trigger));
                else if (draft.IsDropped)
                    delete.Add(draft.Present);
                else if (draft.IsChanged)
                    update.Add(template.Make(family, draft.Endpoints, trigger, draft.Present));
            }
        }

        return new(create, update, delete);
    }

    private static void Distribute(List<Draft> drafts, List<Endpoint> desired)
    {
        var missing = desired.ToDictionary(e => e.Addresses[0]);
        foreach (var draft in drafts)
            draft.Keep(missing);
        var rest = new Queue<Endpoint>(desired.Where(e => missing.ContainsKey(e.Addresses[0])));
        foreach (var draft in drafts.Where(d => d.IsChanged).OrderByDescending(d => d.Endpoints.Count))
            draft.Fill(rest);
        while (rest.Count > 0)
        {
            var target = drafts.Where(d => !d.IsChanged && d.Room >= rest.Count).MinBy(d => d.Room);
            if (target is null)
                drafts.Add(target = new Draft());
            target.Fill(rest);
        }

        Merge(drafts);
    }

    private static void Merge(List<Draft> drafts)
    {
        var changed = drafts.Where(d => d.IsChanged).OrderBy(d => d.Endpoints.Count).ToList();
        foreach (var small in changed)
        {
            var target = changed.Where(d => d != small && d.Endpoints.Count > 0 && d.Room >= small.Endpoints.Count).MinBy(d => d.Room);
            if (small.Endpoints.Count > 0 && target is not null)
                target.Fill(small.TakeAll());
        }
    }

    // As Kubernetes does, a Service without endpoints has one empty slice: whoever looks sees that somebody cares.
    private static void KeepOne(List<Draft> drafts)
    {
        drafts.RemoveAll(d => d is { Present: null, Endpoints.Count: 0 });
        if (drafts.Count == 0)
            drafts.Add(new Draft());
        var isEmpty = drafts.TrueForAll(d => d.Endpoints.Count == 0);
        foreach (var draft in drafts.Skip(isEmpty ? 1 : 0).Where(d => d.Endpoints.Count == 0))
            draft.IsDropped = true;
    }

    /// <summary>A slice as it is to be.</summary>
    private sealed class Draft
    {
        public Draft() => IsChanged = true;

        public Draft(EndpointSlice present, bool fits)
        {
            Present = present;
            IsChanged = !fits;
            Endpoints = [.. present.Endpoints];
        }

        public EndpointSlice? Present { get; }

        public List<Endpoint> Endpoints { get; private set; } = [];

        public bool IsChanged { get; private set; }

        public bool IsDropped { get; set; }

        public int Room => MostEndpoints - Endpoints.Count;

        /// <summary>Keeps what is still wanted, as it is wanted now, and takes it from what is missing.</summary>
        public void Keep(Dictionary<string, Endpoint> missing)
        {
            var kept = new List<Endpoint>(Endpoints.Count);
            foreach (var endpoint in Endpoints)
            {
                if (kept.Count < MostEndpoints && endpoint.Addresses is [var address] && missing.Remove(address, out var wanted))
                    kept.Add(wanted);
            }

            IsChanged |= !kept.SequenceEqual(Endpoints);
            Endpoints = kept;
        }

        public void Fill(Queue<Endpoint> rest)
        {
            while (Room > 0 && rest.TryDequeue(out var endpoint))
            {
                Endpoints.Add(endpoint);
                IsChanged = true;
            }
        }

        public Queue<Endpoint> TakeAll()
        {
            var all = new Queue<Endpoint>(Endpoints);
            Endpoints = [];
            return all;
        }
    }
}
