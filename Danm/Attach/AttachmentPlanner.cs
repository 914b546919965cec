using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Ipam;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>From what a Pod asks and its networks to what ADD will do: pure, so that it can be shown without being done.</summary>
internal static class AttachmentPlanner
{
    /// <param name="sandbox">The Pod.</param>
    /// <param name="requests">What it asks, in its order.</param>
    /// <param name="networks">The network of each request.</param>
    /// <param name="files">The content of the file of each network whose type needs one.</param>
    /// <param name="request">The CNI call.</param>
    /// <exception cref="CniException">The first network that cannot be used; nothing has been changed.</exception>
    public static IReadOnlyList<Attachment> Plan(
        PodSandbox sandbox,
        IReadOnlyList<AttachmentRequest> requests,
        IReadOnlyList<Network> networks,
        IReadOnlyDictionary<NetworkRef, NetworkList> files,
        CniRequest request)
    {
        var refusals = networks.DistinctBy(n => n.Ref).Select(n => NetworkReader.Refusal(n, sandbox.Namespace)).OfType<CniException>().ToList();
        if (refusals.Count > 0)
            throw new CniException(refusals[0].Code, string.Join("; ", refusals.Select(r => r.Msg)));
        try
        {
            var names = InterfaceName.ForAll(networks, request.IfName, request.Config.LegacyNames);
            var attachments = new Attachment[networks.Count];
            for (var i = 0; i < attachments.Length; i++)
                attachments[i] = Plan(sandbox, requests[i], networks[i], files.GetValueOrDefault(networks[i].Ref), names[i], request);
            return attachments;
        }
        catch (NetworkFaultException e)
        {
            throw new CniException(CniErrorCode.InvalidNetwork, e.Message, inner: e);
        }
    }

    private static Attachment Plan(
        PodSandbox sandbox, AttachmentRequest request, Network network, NetworkList? file, string name, CniRequest call)
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
            var plan = NetworkTypes.Of(network.Spec.NetworkType) == NetworkTypes.Ipvlan
                ? null
                : DelegatePlanner.Plan(network, request, file, call, warnings);
            // A delegate's own IPAM gives the addresses, or nobody does.
            var isOurs = plan is null || plan.Ipam == IpamSource.Danm;
            if (request is { Position: 0, IPv4.WantsAddress: false, IPv6.WantsAddress: false } && plan?.Ipam != IpamSource.Delegate)
                warnings.Add($"entry 0 ({network.Ref}) asks for no address: containerd does not start a Pod whose first interface has none");
            return new Attachment
            {
                Request = request,
                Network = network,
                Interface = name,
                EndpointId = endpointId,
                Parent = file is null ? ParentLink.Of(network) : null,
                Delegate = plan,
                IPv4 = isOurs ? TriesFor(request.IPv4, AddressPool.IPv4(network), ipv6: false) : null,
                IPv6 = isOurs ? TriesFor(request.IPv6, AddressPool.IPv6(network), ipv6: true) : null,
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
}
