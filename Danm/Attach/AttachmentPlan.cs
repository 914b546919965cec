using Danm.Attach.Delegation;
using Danm.Cni;

namespace Danm.Attach;

/// <summary>What ADD will do for a Pod: its networks from the API, their files from the node, the decision from <see cref="AttachmentPlanner"/>.</summary>
internal static class AttachmentPlan
{
    /// <exception cref="CniException">The annotation or a network cannot be used, or does not allow the Pod.</exception>
    /// <exception cref="Kube.ApiException">The API server refused, or gave no answer.</exception>
    public static async Task<IReadOnlyList<Attachment>> MakeAsync(PodReader reader, PodSandbox sandbox, CniRequest request, CancellationToken cancellation)
    {
        var (requests, networks) = await reader.ReadNetworksAsync(sandbox.Pod, cancellation).ConfigureAwait(false);
        return AttachmentPlanner.Plan(sandbox, requests, networks, DelegateFile.ReadAll(networks, request.Config.CniDir), request);
    }
}
