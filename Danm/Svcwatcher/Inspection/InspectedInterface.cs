using Danm.Api;

namespace Danm.Svcwatcher.Inspection;

/// <summary>An interface, and what a Service makes of it.</summary>
/// <param name="Record">The interface.</param>
/// <param name="Pod">The Pod of its name; null: there is none.</param>
/// <param name="Endpoints">What the Service is to lead to by it; none if <paramref name="WhyNot"/> says something.</param>
/// <param name="WhyNot">What keeps it out of the Service; null: nothing.</param>
/// <param name="IsNear">Whether it is on one of the Service's networks, or has its labels: what the reader may have expected in it.</param>
internal sealed record InspectedInterface(PodInterfaceRecord Record, BackingPod? Pod, IReadOnlyList<Endpoint> Endpoints, string? WhyNot, bool IsNear);
