using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>Reads what ADD needs from the API: the Pod, then all its networks at once.</summary>
internal sealed class PodReader(ApiClient api)
{
    /// <summary>Reads the Pod; the whole of it only where its spec.nodeName is needed, else the metadata do.</summary>
    public async Task<Pod> ReadPodAsync(string ns, string name, bool withSpec, CancellationToken cancellation)
    {
        var path = ResourcePath.Core("pods", ns, name);
        var pod = withSpec
            ? await api.TryGetAsync(path, ApiJson.Default.Pod, cancellation).ConfigureAwait(false)
            : await api.TryGetMetadataAsync(path, ApiJson.Default.Pod, cancellation).ConfigureAwait(false);
        if (pod is null)
            throw new CniException(CniErrorCode.TryAgainLater, $"Pod {ns}/{name} does not exist in the API (any more, or yet)", "K8S_POD_NAME");
        pod.Metadata.Namespace ??= ns;
        pod.Metadata.Name ??= name;
        return pod;
    }

    /// <summary>What the Pod asks for, and the network of each.</summary>
    public async Task<(IReadOnlyList<AttachmentRequest> Requests, IReadOnlyList<Network> Networks)> ReadNetworksAsync(Pod pod, CancellationToken cancellation)
    {
        IReadOnlyList<AttachmentRequest> requests;
        try
        {
            requests = PodInterfaces.Read(pod.Metadata.Annotations, pod.Metadata.Namespace!);
        }
        catch (NetworkFaultException e)
        {
            throw new CniException(CniErrorCode.InvalidAnnotation, $"Pod {pod.Metadata.Namespace}/{pod.Metadata.Name}: {e.Message}", inner: e);
        }

        if (requests.Count == 0)
        {
            var network = await ReadDefaultAsync(pod.Metadata.Namespace!, cancellation).ConfigureAwait(false);
            return ([DefaultNetwork.RequestFor(network)], [network]);
        }

        var reads = requests.Select(r => r.Network).Distinct().ToDictionary(r => r, r => api.TryReadNetworkAsync(r, cancellation));
        await Task.WhenAll(reads.Values).ConfigureAwait(false);
        var missing = reads.Where(r => r.Value.Result is null).Select(r => r.Key.ToString()).ToList();
        return missing.Count == 0
            ? (requests, [.. requests.Select(r => reads[r.Network].Result!)])
            : throw new CniException(CniErrorCode.InvalidNetwork, $"{string.Join(", ", missing)} of the Pod's annotation does not exist: create it, or correct the annotation");
    }

    private async Task<Network> ReadDefaultAsync(string podNamespace, CancellationToken cancellation)
    {
        var found = await Task.WhenAll(DefaultNetwork.Candidates(podNamespace).Select(c => api.TryReadNetworkAsync(c, cancellation))).ConfigureAwait(false);
        return found.FirstOrDefault(n => n is not null) ?? throw new CniException(
            CniErrorCode.InvalidAnnotation,
            $"the Pod has no annotation {ApiNames.InterfacesAnnotation}, and there is no network \"{DefaultNetwork.Name}\" (DanmNet or TenantNetwork in namespace {podNamespace}, or ClusterNetwork) to attach it to: create one, or annotate the Pod");
    }

    /// <inheritdoc cref="NetworkReader.TryReadNetworkAsync"/>
    public Task<Network?> TryReadNetworkAsync(NetworkRef reference, CancellationToken cancellation) => api.TryReadNetworkAsync(reference, cancellation);
}
