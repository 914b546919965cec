using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Services;

/// <summary>
/// What a Service gets that no other has: addresses and node ports. Which are taken is read from the Services themselves, so
/// whoever gives some out keeps other writers of Services away until they are stored.
/// </summary>
public sealed class ServiceAllocation(ObjectStore store)
{
    private readonly ClusterAddresses addresses = new(store);
    private readonly NodePorts ports = new(store);

    public void Give(JsonObject service, JsonObject? old, List<FieldError> errors)
    {
        var (spec, before) = ((JsonObject)service["spec"]!, old?["spec"] as JsonObject);
        ServiceFamilies.Decide(spec, before, errors);
        if (errors.Count > 0)
            return;
        if (spec["type"].String() == "LoadBalancer" && spec["externalTrafficPolicy"].String() == "Local")
            throw StatusException.NotImplemented("health check ports of Services");
        if (spec["type"].String() != "ExternalName" && !ServiceFamilies.IsHeadless(spec))
            addresses.Give(spec, before, errors);
        ports.Give(spec, before, errors);
    }
}
