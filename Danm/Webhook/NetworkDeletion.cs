using Danm.Api;
using Danm.Tenants;

namespace Danm.Webhook;

/// <summary>
/// <c>/netdeletion</c>: DELETE of networks. It frees nothing, since others may still refuse the DELETE: <c>danm controller</c> does once
/// the object is gone.
/// </summary>
/// <param name="pods">Who is connected.</param>
internal sealed class NetworkDeletion(ConnectedPods pods) : IAdmission
{
    /// <inheritdoc/>
    public string Name => "netdeletion";

    /// <inheritdoc/>
    public async Task<Decision> DecideAsync(AdmissionRequest request, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(request.Kind?.Kind) || !NetworkKinds.TryParse(request.Kind.Kind, out var kind))
            return Decision.Allow();
        // Not by the old object as a whole, which may be broken and must go all the same; the review of a collection names none.
        var name = string.IsNullOrEmpty(request.Name) ? AdmissionObject.NameOf(request.OldObject) : request.Name;
        var network = new NetworkRef(kind, kind.IsNamespaced() ? request.Namespace : null, name ?? "");
        return network.Name.Length > 0 && await pods.FindAsync(network, cancellation).ConfigureAwait(false) is { } pod
            ? Decision.Deny(403, "Forbidden", $"{network} has Pods connected, such as {pod} (rule 22): delete them first; "
                + "if that Pod is gone, its DanmEp is a left-over, and 'danm ipam gc' on its node removes it")
            : Decision.Allow();
    }
}
