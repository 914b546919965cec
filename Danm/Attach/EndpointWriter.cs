using Danm.Api;
using Danm.Calls;
using Danm.Ipam;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>Writes a sandbox's DanmEps: the record of its interfaces that Services and people read.</summary>
internal sealed class EndpointWriter(ApiClient api, PodSandbox sandbox, ClaimBook book)
{
    /// <summary>Makes the interface's DanmEp; one that is there already is taken over, or made anew if it has other addresses or another wire.</summary>
    /// <exception cref="ApiException">The API server refused, or did not answer: the journaled name may exist.</exception>
    public async Task CreateAsync(Attachment attachment, List<AllocatedAddress> addresses, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace);
        try
        {
            var made = await api.CreateAsync(path, Endpoint(attachment, addresses), ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
            book.Confirm(attachment, made.Object, made.MayComeAgain);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            await TakeOverAsync(attachment, addresses, e, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (!e.IsTransient && !e.IsAfterRetry)
        {
            book.DropEndpoint(attachment);
            throw;
        }
    }

    /// <summary>Writes the addresses that a delegate chose into the DanmEp, for Services and for people.</summary>
    public async Task NoteAddressesAsync(Attachment attachment, List<CidrAddress> addresses, CancellationToken cancellation)
    {
        if (addresses.Count == 0)
            return;
        var patch = new DanmEpAddresses(new(new(AddressText(attachment.Request.IPv4, addresses, ipv6: false), AddressText(attachment.Request.IPv6, addresses, ipv6: true))));
        await api.PatchAsync(
            ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace, attachment.EndpointId), patch, ApiJson.Default.DanmEpAddresses, cancellation).ConfigureAwait(false);
    }

    // The name is derived from sandbox and interface: this is our own, from a create whose answer was lost, or from an earlier ADD.
    private async Task TakeOverAsync(Attachment attachment, List<AllocatedAddress> addresses, ApiException cause, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace, attachment.EndpointId);
        var own = await api.TryGetAsync(path, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false) ?? throw cause;
        var wanted = Endpoint(attachment, addresses);
        var mayComeAgain = cause.Unanswered > 1;
        if (own.Spec.Interface.Address != wanted.Spec.Interface.Address || own.Spec.Interface.AddressIPv6 != wanted.Spec.Interface.AddressIPv6
            || own.Metadata.Labels?.GetValueOrDefault(ApiNames.SegmentLabel) != wanted.Metadata.Labels?.GetValueOrDefault(ApiNames.SegmentLabel))
        {
            await api.DeleteAsync(path, own.Metadata.Uid, cancellation).ConfigureAwait(false);
            var made = await api.CreateAsync(
                ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace), wanted, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
            (own, mayComeAgain) = (made.Object, made.MayComeAgain || cause.IsAfterRetry);
        }

        book.Confirm(attachment, own, mayComeAgain);
    }

    private DanmEp Endpoint(Attachment attachment, List<AllocatedAddress> addresses)
    {
        var cidrs = addresses.ConvertAll(a => a.Address);
        var labels = new Dictionary<string, string>();
        foreach (var (key, value) in sandbox.Pod.Metadata.Labels ?? [])
        {
            if (!key.StartsWith(ApiNames.Prefix, StringComparison.Ordinal))
                labels[key] = value;
        }

        labels[ApiNames.PodUidLabel] = LabelValue.For(sandbox.Pod.Metadata.Uid ?? "");
        labels[ApiNames.NetworkLabel] = attachment.Network.Ref.ToLabelValue();
        // Nobody else may get that id before this is gone, whatever becomes of the network meanwhile.
        if (Vni.Of(attachment.Network) is { } vni)
            labels[ApiNames.SegmentLabel] = vni.SegmentLabel;
        if (sandbox.NodeName is not null)
            labels[ApiNames.NodeLabel] = LabelValue.For(sandbox.NodeName);
        return new DanmEp
        {
            Metadata = new ObjectMeta
            {
                Name = attachment.EndpointId,
                Namespace = sandbox.Namespace,
                Labels = labels,
                Annotations = Annotations(attachment, addresses),
            },
            Spec = new DanmEpSpec
            {
                NetworkName = attachment.Network.Ref.Name,
                NetworkType = attachment.Network.Spec.NetworkType is { Length: > 0 } type ? type : NetworkTypes.Ipvlan,
                EndpointId = attachment.EndpointId,
                ApiType = attachment.Network.Kind.ToName(),
                Interface = new DanmEpInterface
                {
                    Name = attachment.Interface,
                    Address = AddressText(attachment.Request.IPv4, cidrs, ipv6: false),
                    AddressIPv6 = AddressText(attachment.Request.IPv6, cidrs, ipv6: true),
                    PolicyRoutes = ToMap(attachment.Request.PolicyRoutes),
                    PolicyRoutes6 = ToMap(attachment.Request.PolicyRoutes6),
                },
                Host = Environment.MachineName,
                NodeName = sandbox.NodeName,
                Pod = sandbox.Name,
                PodUid = sandbox.Pod.Metadata.Uid,
                ContainerId = sandbox.Cid,
                Netns = sandbox.Netns,
            },
        };
    }

    private static Dictionary<string, string>? Annotations(Attachment attachment, List<AllocatedAddress> addresses)
    {
        var annotations = new Dictionary<string, string>();
        if (addresses.Count > 0)
            annotations[DanmEpSearch.AllocationsAnnotation] = string.Join(',', addresses.Select(a => a.Name));
        // Netwatcher keeps that interface as long as this DanmEp lives, whatever becomes of the network.
        if (attachment.Parent is { Encapsulation: not Encapsulation.None } parent)
            annotations[ApiNames.HostInterfaceAnnotation] = parent.Name;
        return annotations.Count == 0 ? null : annotations;
    }

    // Without an address of its own the interface shows what was asked for, as the original does.
    private static string AddressText(IPRequest request, List<CidrAddress> addresses, bool ipv6) =>
        addresses.FindIndex(a => a.IsIPv6 == ipv6) is >= 0 and var i ? addresses[i].ToString() : request.ToString();

    private static Dictionary<string, string>? ToMap(IReadOnlyList<GatewayRoute> routes) =>
        routes.Count == 0 ? null : routes.ToDictionary(r => r.Destination.ToString(), r => r.Gateway.ToString());
}
