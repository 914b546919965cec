using Danm.Api;
using Danm.Svcwatcher.Selection;

namespace Danm.Svcwatcher.Inspection;

/// <summary>A Service as it is to be, and how far it is so.</summary>
/// <param name="Service">The Service.</param>
/// <param name="Reading">What it says.</param>
/// <param name="Interfaces">All of its namespace: those that it leads to, then those that it does not.</param>
/// <param name="PodsWithout">Names of Pods that have the labels, but no interface on any of the networks.</param>
/// <param name="Slices">What clients read: also what others have written for the Service.</param>
/// <param name="Differences">Where the slices are not as they shall be.</param>
internal sealed record ServiceInspection(
    Service Service,
    ServiceReading Reading,
    IReadOnlyList<InspectedInterface> Interfaces,
    IReadOnlyList<string> PodsWithout,
    IReadOnlyList<EndpointSlice> Slices,
    IReadOnlyList<SliceDifference> Differences);

/// <summary>Where a Service's slices are not as they shall be.</summary>
/// <param name="Slice">The slice's name; null: there is none.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="IsForeign">Whether another program wrote it, so that waiting will not mend it.</param>
internal sealed record SliceDifference(string? Slice, string Message, bool IsForeign = false);
