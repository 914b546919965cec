namespace Danm.Tests.Deployment;

/// <summary>A kind that accounts of Danm write.</summary>
/// <param name="CreationPath">Where it is created.</param>
/// <param name="Subresource">What of it is updated, with a leading slash.</param>
internal sealed record NodeTarget(string ApiVersion, string Kind, string CreationPath, string Subresource = "")
{
    private const string Danm = "/apis/danm.io/v1", Core = "/api/v1";

    public static readonly NodeTarget DanmEp = new("danm.io/v1", "DanmEp", $"{Danm}/namespaces/default/danmeps");
    public static readonly NodeTarget IpAllocation = new("danm.io/v1", "IPAllocation", $"{Danm}/ipallocations");
    public static readonly NodeTarget DanmNet = new("danm.io/v1", "DanmNet", $"{Danm}/namespaces/default/danmnets");
    public static readonly NodeTarget ClusterNetwork = new("danm.io/v1", "ClusterNetwork", $"{Danm}/clusternetworks");
    public static readonly NodeTarget PodStatus = new("v1", "Pod", $"{Core}/namespaces/default/pods", "/status");
    public static readonly NodeTarget NodeStatus = new("v1", "Node", $"{Core}/nodes", "/status");
    public static readonly NodeTarget Secret = new("v1", "Secret", $"{Core}/namespaces/kube-system/secrets");
    public static readonly NodeTarget Token = new("authentication.k8s.io/v1", "TokenRequest", $"{Core}/namespaces/kube-system/serviceaccounts/danm/token");
}
