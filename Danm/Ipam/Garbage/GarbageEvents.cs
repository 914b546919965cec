using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Kube.Events;

namespace Danm.Ipam.Garbage;

/// <summary>Warnings where operators look for them: at the Node, or at the Pod. One that cannot be written is no failure.</summary>
/// <param name="api">The API server.</param>
/// <param name="component">The program that speaks.</param>
public sealed class GarbageEvents(ApiClient api, string component)
{
    /// <summary>Warns at a Node.</summary>
    public Task WarnNodeAsync(string nodeName, string reason, string message, CancellationToken cancellation) =>
        WarnAsync(new ObjectReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = nodeName }, nodeName, reason, message, cancellation);

    /// <summary>Warns at a Pod.</summary>
    public Task WarnPodAsync(string ns, string name, string uid, string? nodeName, string reason, string message, CancellationToken cancellation) =>
        WarnAsync(new ObjectReference { ApiVersion = "v1", Kind = "Pod", Namespace = ns, Name = name, Uid = uid }, nodeName, reason, message, cancellation);

    private Task WarnAsync(ObjectReference about, string? host, string reason, string message, CancellationToken cancellation) =>
        new EventWriter(api, component, host).WriteAsync(
            new Saying(about, "Warning", reason, CniText.Clean(message, 1000)), EventWriter.NameOf(about, $"{reason}\n{message}"), cancellation);
}
