using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Kube.Events;

namespace Danm.Attach;

/// <summary>Tells a Pod's owner, as <c>kubectl describe pod</c> shows it. An event that cannot be written is no failure.</summary>
internal static class PodEvents
{
    // A Pod's start does not wait longer for what is only said.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static async Task WarnAsync(ApiClient api, PodSandbox sandbox, string reason, IReadOnlyList<string> messages, CancellationToken cancellation)
    {
        if (messages.Count == 0)
            return;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var now = DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ");
        var message = CniText.Clean(string.Join("; ", messages), 1000);
        var about = new ObjectReference { ApiVersion = "v1", Kind = "Pod", Namespace = sandbox.Namespace, Name = sandbox.Name, Uid = sandbox.Pod.Metadata.Uid };
        var e = new CoreEvent
        {
            // What is repeated has its name already, and so is no second event: a Pod may be retried for ever.
            Metadata = new ObjectMeta { Name = EventWriter.NameOf(about, reason + message), Namespace = sandbox.Namespace },
            InvolvedObject = about,
            Type = "Warning",
            Reason = reason,
            Message = message,
            Source = new EventSource { Component = "danm", Host = sandbox.NodeName },
            FirstTimestamp = now,
            LastTimestamp = now,
            Count = 1,
        };
        try
        {
            await api.CreateAsync(ResourcePath.Core("events", sandbox.Namespace), e, ApiJson.Default.CoreEvent, patience.Token).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is ApiException or OperationCanceledException)
        {
            // The log has the same words.
        }
    }
}
