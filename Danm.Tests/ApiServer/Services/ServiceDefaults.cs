using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Services;

/// <summary>What a Service gets of itself, whatever was stored before; constants stand in the schema.</summary>
internal static class ServiceDefaults
{
    private const int AffinityTimeout = 10_800; // seconds: 3 hours

    public static void Apply(JsonObject service)
    {
        if (service["spec"] is not JsonObject spec)
            return;
        GoFields.DropZero(spec, "type", "clusterIP", "clusterIPs", "ipFamilies", "selector", "externalIPs", "externalName", "externalTrafficPolicy",
            "publishNotReadyAddresses", "sessionAffinity", "healthCheckNodePort", "loadBalancerIP", "loadBalancerSourceRanges", "ports");
        foreach (var port in GoFields.Objects(spec["ports"]))
        {
            GoFields.DropZero(port, "name", "protocol", "targetPort", "nodePort");
            if (!port.ContainsKey("targetPort") && port["port"] is { } number)
                port["targetPort"] = number.DeepClone();
        }

        if (spec["sessionAffinity"].String() is "ClientIP")
            spec.Child("sessionAffinityConfig").Child("clientIP")["timeoutSeconds"] ??= AffinityTimeout;
        else
            spec.Remove("sessionAffinityConfig");
        var type = spec["type"].String() ?? "ClusterIP";
        if (type != "ExternalName" && spec["internalTrafficPolicy"] is null)
            spec["internalTrafficPolicy"] = "Cluster";
        if (type == "LoadBalancer")
            spec["allocateLoadBalancerNodePorts"] ??= true;
        if (spec["externalTrafficPolicy"] is null && (type is "NodePort" or "LoadBalancer" || type == "ClusterIP" && spec["externalIPs"] is not null))
            spec["externalTrafficPolicy"] = "Cluster";
    }
}
