using Danm.Api;
using Danm.Svcwatcher.Slices;

namespace Danm.Svcwatcher.Inspection;

/// <summary>What clients read of a Service, against what they should.</summary>
internal static class SliceComparison
{
    private const string Mirroring = "endpointslicemirroring-controller.k8s.io";

    /// <summary>Where they differ; nodes' zones are left out, since an operator need not be able to read nodes.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="desired">What it is to lead to.</param>
    /// <param name="slices">The slices with its name, whoever wrote them.</param>
    /// <param name="isServed">Whether Danm publishes for it: else others rightly do.</param>
    public static IEnumerable<SliceDifference> Of(Service service, IReadOnlyList<Endpoint> desired, IReadOnlyList<EndpointSlice> slices, bool isServed)
    {
        var template = new SliceTemplate(service);
        var missing = desired.ToDictionary(e => e.Addresses[0]);
        foreach (var slice in slices)
        {
            var name = slice.Metadata.Name;
            if (slice.Metadata.Labels?.GetValueOrDefault(EndpointSlice.ManagedByLabel) is var manager && manager != SliceTemplate.ManagedBy)
            {
                if (isServed)
                    yield return new(name, Foreign(manager, slice), IsForeign: true);
                continue;
            }

            if (!template.Owns(slice))
                yield return new(name, "belongs to an earlier Service of this name");
            else if (isServed && !template.Fits(slice))
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
        // Whoever looks sees by an empty one that somebody cares.
        if (isServed && desired.Count == 0 && !slices.Any(template.Owns))
            yield return new(null, "it has no EndpointSlice");
    }

    private static string Foreign(string? manager, EndpointSlice slice) =>
        $"is written by {(string.IsNullOrEmpty(manager) ? "nobody known" : manager)} and not by Danm, and clients read it too ({slice.Endpoints.Count} endpoints)"
        + (manager == Mirroring ? ": Kubernetes makes it of the Endpoints of the Service's name; delete those if they are left of another tool" : "");
}
