using Danm.Api;
using Danm.Svcwatcher.Slices;

namespace Danm.Svcwatcher.Inspection;

/// <summary>What clients read of a Service, against what they should.</summary>
internal static class SliceComparison
{
    /// <summary>Where they differ; nodes' zones are left out, since an operator need not be able to read nodes.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="desired">What it is to lead to.</param>
    /// <param name="slices">The slices with its name, whoever wrote them.</param>
    public static IEnumerable<SliceDifference> Of(Service service, IReadOnlyList<Endpoint> desired, IReadOnlyList<EndpointSlice> slices)
    {
        var template = new SliceTemplate(service);
        var missing = desired.ToDictionary(e => e.Addresses[0]);
        foreach (var slice in slices)
        {
            var name = slice.Metadata.Name;
            if (slice.Metadata.Labels?.GetValueOrDefault(EndpointSlice.ManagedByLabel) is var manager && manager != SliceTemplate.ManagedBy)
            {
                yield return new(name, $"is written by {(string.IsNullOrEmpty(manager) ? "nobody known" : manager)} and not by Danm, and clients read it too ({slice.Endpoints.Count} endpoints)", IsForeign: true);
                continue;
            }

            if (!template.Owns(slice))
                yield return new(name, "belongs to an earlier Service of this name");
            else if (desired.Count > 0 && !template.Fits(slice))
                yield return new(name, "has not the Service's ports or labels");
            foreach (var endpoint in slice.Endpoints)
            {
                var address = endpoint.Addresses is [var one] ? one : string.Join(',', endpoint.Addresses);
                if (!missing.Remove(address, out var wanted))
                    yield return new(name, $"leads to {address}, which it should not");
                else if (endpoint.TargetRef?.Uid != wanted.TargetRef?.Uid || endpoint.Conditions != wanted.Conditions)
                    yield return new(name, $"shows {address} as it was before");
            }
        }

        foreach (var address in missing.Keys)
            yield return new(null, $"{address} is in no EndpointSlice");
    }
}
