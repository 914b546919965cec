using Danm.Api;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Ipam.Garbage;

/// <summary>Warnings where operators look for them: at the Node, or at the Pod. One that cannot be written is no failure.</summary>
/// <param name="api">The API server.</param>
/// <param name="component">The program that speaks.</param>
public sealed class GarbageEvents(ApiClient api, string component)
{
    /// <summary>Warns at a Node.</summary>
    public Task WarnNodeAsync(string nodeName, string reason, string message, CancellationToken cancellation) =>
        WarnAsync(new ObjectReference { ApiVersion = "v1", Kind = "Node", Name = nodeName, Uid = nodeName }, "default", nodeName, reason, message, cancellation);

    /// <summary>Warns at a Pod.</summary>
    public Task WarnPodAsync(string ns, string name, string uid, string? nodeName, string reason, string message, CancellationToken cancellation) =>
        WarnAsync(new ObjectReference { ApiVersion = "v1", Kind = "Pod", Namespace = ns, Name = name, Uid = uid }, ns, nodeName, reason, message, cancellation);

    private async Task WarnAsync(ObjectReference about, string ns, string? host, string reason, string message, CancellationToken cancellation)
    {
        var now = DateTime.UtcNow;
        var time = now.ToString("yyyy-MM-ddTHH:mm:ssZ");
        var e = new CoreEvent
        {
            Metadata = new ObjectMeta { Name = $"{about.Name![..Math.Min(about.Name!.Length, 200)]}.{now.Ticks:x}", Namespace = ns },
            InvolvedObject = about,
            Type = "Warning",
            Reason = reason,
            Message = CniText.Clean(message, 1000),
            Source = new EventSource { Component = component, Host = host },
            FirstTimestamp = time,
            LastTimestamp = time,
            Count = 1,
        };
        try
        {
            await api.CreateAsync(ResourcePath.Core("events", ns), e, ApiJson.Default.CoreEvent, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ApiException or ArgumentException)
        {
            // Whoever runs the pass says the same.
        }
    }
}
