using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>An interface that a Service has chosen, with what is known of its Pod.</summary>
/// <param name="Record">The interface.</param>
/// <param name="Pod">The Pod of its name, maybe a later one; null: there is none.</param>
/// <param name="Zone">The zone of the Pod's node, where the node has one.</param>
/// <param name="IsNodeGone">Whether the Pod's node is not there any more, so that nobody will say that the Pod does not work.</param>
internal readonly record struct ServiceMember(PodInterfaceRecord Record, BackingPod? Pod, string? Zone, bool IsNodeGone = false);
