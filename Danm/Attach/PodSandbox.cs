using Danm.Api;
using Danm.Cni;

namespace Danm.Attach;

/// <summary>The Pod and the sandbox that a call is for.</summary>
/// <param name="Pod">The Pod as the API has it.</param>
/// <param name="Uid">The sandbox's identity: K8S_POD_UID where given, else the Pod's uid.</param>
/// <param name="ContainerId">CNI_CONTAINERID.</param>
/// <param name="Cid">What DanmEps call the sandbox: K8S_POD_INFRA_CONTAINER_ID, else the container id.</param>
/// <param name="Netns">CNI_NETNS.</param>
/// <param name="NodeName">The Kubernetes node; null if nothing tells.</param>
internal sealed record PodSandbox(Pod Pod, string Uid, string ContainerId, string Cid, string Netns, string? NodeName)
{
    // Kubelet notes the UID of a static Pod, which it does not get from the API, in its mirror Pod's annotation.
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";

    public string Namespace => Pod.Metadata.Namespace!;

    public string Name => Pod.Metadata.Name!;

    /// <exception cref="CniException">Code 11: the API's Pod is not the one that kubelet starts (any more, or yet).</exception>
    public static string IdentityOf(Pod pod, string? requestedUid)
    {
        // It becomes the name of a file.
        if (pod.Metadata.Uid is not { } uid || !CniNames.IsUid(uid))
            throw new CniException(CniErrorCode.ApiRefused, $"the API server gives Pod {pod.Metadata.Namespace}/{pod.Metadata.Name} the uid {CniText.Quote(pod.Metadata.Uid)}, which is none");
        if (requestedUid is null || requestedUid == uid)
            return uid;
        return pod.Metadata.Annotations?.GetValueOrDefault(MirrorAnnotation) == requestedUid
            ? requestedUid
            : throw new CniException(
                CniErrorCode.TryAgainLater,
                $"Pod {pod.Metadata.Namespace}/{pod.Metadata.Name} has the uid {uid} in the API, but the runtime starts {requestedUid}: it was re-created, try again",
                "K8S_POD_UID");
    }
}
