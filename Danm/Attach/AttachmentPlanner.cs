using Danm.Api;
using Danm.Cni;
using Danm.Ipam;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>From what a Pod asks and its networks to what ADD will do: pure, so that it can be shown without being done.</summary>
internal static class AttachmentPlanner
{
    /// <param name="sandbox">The Pod.</param>
    /// <param name="requests">What it asks, in its order.</param>
    /// <param name="networks">The network of each request.</param>
    /// <param name="request">The CNI call.</param>
    /// <exception cref="CniException">The first network that cannot be used; nothing has been changed.</exception>
    public static IReadOnlyList<Attachment> Plan(
        PodSandbox sandbox, IReadOnlyList<AttachmentRequest> requests, IReadOnlyList<Network> networks, CniRequest request)
    {
        var refusals = networks.DistinctBy(n => n.Ref).Select(n => Refusal(sandbox, n)).OfType<CniException>().ToList();
        if (refusals.Count > 0)
            throw new CniException(refusals[0].Code, string.Join("; ", refusals.Select(r => r.Msg)));
        try
        {
            var names = InterfaceName.ForAll(networks, request.IfName, request.Config.LegacyNames);
            var attachments = new Attachment[networks.Count];
            for (var i = 0; i < attachments.Length; i++)
                attachments[i] = Plan(sandbox, requests[i], networks[i], names[i]);
            return attachments;
        }
        catch (NetworkFaultException e)
        {
            throw new CniException(CniErrorCode.InvalidNetwork, e.Message, inner: e);
        }
    }

    private static CniException? Refusal(PodSandbox sandbox, Network network)
    {
        var faults = NetworkRules.Check(network);
        if (faults.Count > 0)
            return new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: {string.Join("; ", faults)}");
        if (!TenantAccess.Allows(network, sandbox.Namespace))
        {
            return new CniException(
                CniErrorCode.TenantNotAllowed,
                $"{network.Ref} does not allow Pods of namespace {sandbox.Namespace}: ask its administrator to add it to spec.AllowedTenants");
        }

        return NetworkTypes.Of(network.Spec.NetworkType) == NetworkTypes.Ipvlan
            ? null
            : new CniException(
                CniErrorCode.InvalidNetwork,
                $"{network.Ref} has spec.NetworkType {CniText.Quote(network.Spec.NetworkType)}, which this build cannot set up: it knows ipvlan only");
    }

    private static Attachment Plan(PodSandbox sandbox, AttachmentRequest request, Network network, string name)
    {
        var endpointId = EndpointId.For(sandbox.Uid, sandbox.ContainerId, name);
        var owner = new IPAllocationOwner
        {
            Namespace = sandbox.Namespace,
            Pod = sandbox.Name,
            PodUid = sandbox.Pod.Metadata.Uid,
            ContainerId = sandbox.ContainerId,
            Interface = name,
            DanmEp = endpointId,
        };
        try
        {
            var warnings = new List<string>();
            var options = network.Spec.Options;
            var ipv4 = TriesFor(request.IPv4, AddressPool.IPv4(network), ipv6: false);
            var ipv6 = TriesFor(request.IPv6, AddressPool.IPv6(network), ipv6: true);
            return new Attachment
            {
                Request = request,
                Network = network,
                Interface = name,
                EndpointId = endpointId,
                Parent = ParentLink.Of(network),
                IPv4 = ipv4,
                IPv6 = ipv6,
                Routes =
                [
                    .. ipv4 is null ? [] : GatewayRoute.ReadAll("spec.Options.routes", options.Routes, ipv6: false, []),
                    .. ipv6 is null ? [] : GatewayRoute.ReadAll("spec.Options.routes6", options.Routes6, ipv6: true, []),
                ],
                PolicyRoutes =
                [
                    .. PolicyRoutes("proutes", request.PolicyRoutes, ipv4 is not null, network, request.Position, warnings),
                    .. PolicyRoutes("proutes6", request.PolicyRoutes6, ipv6 is not null, network, request.Position, warnings),
                ],
                Warnings = warnings,
            };
        }
        catch (AddressException e)
        {
            throw Errors.From(e);
        }
        catch (NetworkFaultException e)
        {
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: {e.Message}", inner: e);
        }

        FirstTries? TriesFor(IPRequest wanted, AddressPool? pool, bool ipv6)
        {
            if (!wanted.WantsAddress)
                return null;
            if (pool is null)
                throw AddressException.NoSubnet(network.Ref, ipv6);
            var claim = new AddressClaim(network, Segment.Of(network), pool, wanted.Address, owner, sandbox.NodeName);
            AddressException.Check(claim);
            return AddressAllocator.Plan(claim);
        }
    }

    private static IReadOnlyList<GatewayRoute> PolicyRoutes(
        string field, IReadOnlyList<GatewayRoute> wanted, bool hasAddress, Network network, int position, List<string> warnings)
    {
        if (wanted.Count == 0)
            return [];
        var missing = !hasAddress ? "the interface has no address of that family" : (network.Spec.Options.RoutingTable ?? 0) == 0 ? "the network has no spec.Options.rt_tables" : null;
        if (missing is null)
            return wanted;
        warnings.Add($"{field} of entry {position} ({network.Ref}) skipped: {missing}");
        return [];
    }
}
