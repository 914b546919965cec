using Danm.Api;

namespace Danm.Svcwatcher.Slices;

/// <summary>What is to be written so that a Service's slices are as they shall be. In this order no address is missing in between.</summary>
/// <param name="Create">New ones, without names.</param>
/// <param name="Update">Present ones, as they are to be.</param>
/// <param name="Delete">Present ones that nothing is left for.</param>
internal sealed record SlicePlan(IReadOnlyList<EndpointSlice> Create, IReadOnlyList<EndpointSlice> Update, IReadOnlyList<EndpointSlice> Delete)
{
    /// <summary>How many requests it takes.</summary>
    public int Writes => Create.Count + Update.Count + Delete.Count;
}
