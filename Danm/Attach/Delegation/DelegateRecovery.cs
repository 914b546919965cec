using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>
/// Finds out how the delegates of a sandbox were called when no journal tells: from the DanmEps and their networks, as the original
/// did for every DEL. What cannot be found out is removed by name.
/// </summary>
internal sealed class DelegateRecovery(NodeCall call, PodReader reader)
{
    /// <summary>The record of a sandbox that is known by its DanmEps only, completed.</summary>
    public async Task<SandboxRecord> CompleteAsync(SandboxRecord record, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation)
    {
        if (!record.Attachments.Any(a => a.UnknownDelegate is not null))
            return record;
        var attachments = await Task.WhenAll(record.Attachments.Select(a => a.UnknownDelegate is null
            ? Task.FromResult(a)
            : CompleteAsync(a, endpoints.First(e => e.Metadata.Name == a.EndpointId), cancellation))).ConfigureAwait(false);
        return record with { Attachments = attachments };
    }

    private async Task<AttachmentRecord> CompleteAsync(AttachmentRecord attachment, DanmEp endpoint, CancellationToken cancellation)
    {
        try
        {
            // It becomes CNI_IFNAME of a program that runs as root.
            if (!CniNames.IsInterfaceName(attachment.Interface))
                throw new ArgumentException($"{CniText.Quote(attachment.Interface)} is no name of an interface");
            var network = await ReadAsync(endpoint, cancellation).ConfigureAwait(false);
            var request = RequestOf(endpoint, network);
            var plan = DelegatePlanner.Plan(network, request, DelegateFile.Read(network, call.Request.Config.CniDir), call.Request, []);
            var addresses = Addresses(endpoint).ToList();
            call.Log.Warning("nothing on this node tells how the interface was made: its network object does", ("interface", attachment.Interface), ("network", network.Ref.ToString()));
            return attachment with { Delegate = plan.Compose(plan.Ipam == IpamSource.Danm ? addresses : []), UnknownDelegate = null };
        }
        catch (Exception e) when (e is CniException or ApiException or NetworkFaultException or ArgumentException)
        {
            call.Log.Warning("nothing tells how the interface was made: it is removed by name", ("interface", attachment.Interface), ("type", attachment.UnknownDelegate), ("cause", e.Message));
            return attachment;
        }
    }

    private async Task<Network> ReadAsync(DanmEp endpoint, CancellationToken cancellation)
    {
        if (!NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind))
            throw new ArgumentException($"apiType {CniText.Quote(endpoint.Spec.ApiType)} is no kind of network");
        var reference = new NetworkRef(kind, kind.IsNamespaced() ? endpoint.Metadata.Namespace : null, endpoint.Spec.NetworkName);
        var network = await reader.TryReadNetworkAsync(reference, cancellation).ConfigureAwait(false)
            ?? throw new ArgumentException($"{reference} is gone");
        // A tenant writes DanmEps: they lead to no network that its Pods could not have had.
        return TenantAccess.Allows(network, endpoint.Metadata.Namespace ?? "")
            ? network
            : throw new ArgumentException($"{reference} is not for Pods of namespace {CniText.Quote(endpoint.Metadata.Namespace)}");
    }

    // An address inside the network's subnet was Danm's; any other, the delegate's own.
    private static AttachmentRequest RequestOf(DanmEp endpoint, Network network)
    {
        IPRequest ipv4 = default, ipv6 = default;
        foreach (var address in Addresses(endpoint))
        {
            var subnet = address.IsIPv6 ? network.Spec.Options.Net6 : network.Spec.Options.Cidr;
            if (!CidrAddress.TryParse(subnet ?? "", out var inside) || !inside.Contains(address.Address))
                continue;
            if (address.IsIPv6)
                ipv6 = new IPRequest(IPRequestKind.Static, address.Address);
            else
                ipv4 = new IPRequest(IPRequestKind.Static, address.Address);
        }

        return new AttachmentRequest(0, network.Ref, ipv4, ipv6, [], []);
    }

    private static IEnumerable<CidrAddress> Addresses(DanmEp endpoint)
    {
        foreach (var text in (string?[])[endpoint.Spec.Interface.Address, endpoint.Spec.Interface.AddressIPv6])
        {
            if (CidrAddress.TryParse(text ?? "", out var address))
                yield return address;
        }
    }
}
