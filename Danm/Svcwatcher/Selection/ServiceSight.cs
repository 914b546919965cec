using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>A Service, and the interfaces that it has chosen, at one moment.</summary>
/// <param name="Service">The Service.</param>
/// <param name="Reading">What it says.</param>
/// <param name="Members">The interfaces that it has chosen; of Pods that are there or not.</param>
internal sealed record ServiceSight(Service Service, ServiceReading Reading, IReadOnlyList<ServiceMember> Members);
