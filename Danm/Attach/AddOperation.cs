using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.HostLinks;
using Danm.Ipam;
using Danm.Ipvlan;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Attach;

/// <summary>Makes all attachments of a sandbox at once; if one fails, all that were made go again.</summary>
internal sealed class AddOperation(ApiClient api, PodSandbox sandbox, NetworkNamespace pod, ClaimBook book, NodeCall call)
{
    private readonly NetConf config = call.Request.Config;
    private readonly RouteSocket host = RouteSocket.Open();
    private readonly Lock hostGate = new();

    /// <exception cref="CniException">Every failure, not just the first.</exception>
    public async Task<IReadOnlyList<AttachedInterface>> RunAsync(IReadOnlyList<Attachment> attachments, CancellationToken cancellation)
    {
        using (host)
        {
            var tasks = new List<Task<AttachedInterface>>();
            foreach (var attachment in attachments)
            {
                tasks.Add(AttachAsync(attachment, cancellation));
                if (!MustWaitFor(tasks.Count - 1))
                    continue;
                await ((Task)tasks[^1]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (tasks[^1].IsCompletedSuccessfully)
                    continue;
                foreach (var notBegun in attachments.Skip(tasks.Count))
                    book.Drop(notBegun);
                break;
            }

            await ((Task)Task.WhenAll(tasks)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return tasks.TrueForAll(t => t.IsCompletedSuccessfully) ? tasks.ConvertAll(t => t.Result) : throw Together(attachments, tasks);
        }
    }

    private bool MustWaitFor(int position) => config.Parallel switch
    {
        NetConfParallel.None => true,
        NetConfParallel.Others => position == 0,
        _ => false,
    };

    private async Task<AttachedInterface> AttachAsync(Attachment attachment, CancellationToken cancellation)
    {
        var addresses = await AllocateAsync(attachment, cancellation).ConfigureAwait(false);
        await CreateEndpointAsync(attachment, addresses, cancellation).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        var cidrs = addresses.ConvertAll(a => a.Address);
        return attachment.Delegate is { } plan
            ? await DelegateAsync(attachment, plan, cidrs, cancellation).ConfigureAwait(false)
            : AttachIpvlan(attachment, cidrs);
    }

    private AttachedInterface AttachIpvlan(Attachment attachment, List<CidrAddress> addresses)
    {
        // The kernel serves one change of links at a time anyway.
        lock (hostGate)
            IpvlanLink.Add(host, EnsureParent(attachment, attachment.Parent!), attachment.Interface, MtuOf(attachment), pod);
        book.NoteInterface(attachment);
        return Configure(attachment, addresses);
    }

    private async Task<AttachedInterface> DelegateAsync(Attachment attachment, DelegatePlan plan, List<CidrAddress> addresses, CancellationToken cancellation)
    {
        if (attachment.Parent is { } parent)
        {
            lock (hostGate)
                EnsureParent(attachment, parent);
        }

        var called = plan.Compose(addresses);
        book.Announce(attachment, called);
        var (made, result) = await CallAsync(attachment, called, cancellation).ConfigureAwait(false);
        if (plan.Ipam != IpamSource.Danm)
        {
            addresses = DelegateResult.AddressesOf(result, attachment.Interface);
            await NoteAddressesAsync(attachment, addresses, cancellation).ConfigureAwait(false);
        }

        return Configure(attachment, addresses) with { Delegate = made, Result = result };
    }

    private async Task<(DelegateRecord Record, CniResult Result)> CallAsync(Attachment attachment, DelegateRecord called, CancellationToken cancellation)
    {
        try
        {
            return await call.Chain.AddAsync(called, new PluginCall("ADD", sandbox.ContainerId, attachment.Interface, sandbox.Netns), cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException e)
        {
            throw new CniException(
                CniErrorCode.TryAgainLater,
                $"interface \"{attachment.Interface}\" on {attachment.Network.Ref}: plugin {string.Join(", ", called.Plugins.Select(p => CniText.Quote(p.Type)))} did not end within {config.Timeout.TotalSeconds} s (timeoutSeconds) and was killed",
                inner: e);
        }
    }

    private AttachedInterface Configure(Attachment attachment, List<CidrAddress> addresses)
    {
        var ipv6 = addresses.Exists(a => a.IsIPv6);
        var routes = RoutePlan.Of(attachment.Network, attachment.Request, addresses.Exists(a => !a.IsIPv6), ipv6);
        var wanted = new PodInterface(attachment.Interface, ipv6 || attachment.Request.IPv6.Kind != IPRequestKind.NotAsked, addresses, routes)
        {
            IsDelegated = attachment.Delegate is not null,
        };
        return new AttachedInterface(attachment, addresses, wanted.Configure(pod), routes);
    }

    private Link EnsureParent(Attachment attachment, ParentLink parent) =>
        HostLink.Ensure(host, parent, MtuOf(attachment), multicast: config.VxlanFlooding == NetConfVxlanFlooding.Multicast);

    private static int? MtuOf(Attachment attachment) => attachment.Network.Spec.Options.Mtu is > 0 and var mtu ? mtu : null;

    /// <summary>Writes the addresses that a delegate chose into the DanmEp, for Services and for people.</summary>
    private async Task NoteAddressesAsync(Attachment attachment, List<CidrAddress> addresses, CancellationToken cancellation)
    {
        var ipv4 = addresses.Find(a => !a.IsIPv6);
        var ipv6 = addresses.Find(a => a.IsIPv6);
        if (addresses.Count == 0)
            return;
        var patch = new DanmEpAddresses(new(new(
            addresses.Exists(a => !a.IsIPv6) ? ipv4.ToString() : AddressText(attachment.Request.IPv4, null),
            addresses.Exists(a => a.IsIPv6) ? ipv6.ToString() : AddressText(attachment.Request.IPv6, null))));
        await api.PatchAsync(
            ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace, attachment.EndpointId), patch, ApiJson.Default.DanmEpAddresses, cancellation).ConfigureAwait(false);
    }

    private async Task<List<AllocatedAddress>> AllocateAsync(Attachment attachment, CancellationToken cancellation)
    {
        try
        {
            return await ClaimedAddresses.AllocateAsync(api, book, attachment, attachment.IPv4, attachment.IPv6, cancellation).ConfigureAwait(false);
        }
        catch (Exception)
        {
            book.DropEndpoint(attachment);
            throw;
        }
    }

    private async Task CreateEndpointAsync(Attachment attachment, List<AllocatedAddress> addresses, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace);
        try
        {
            var made = await api.CreateAsync(path, Endpoint(attachment, addresses), ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
            book.Confirm(attachment, made.Object, made.MayComeAgain);
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            await TakeOverEndpointAsync(attachment, addresses, e, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (!e.IsTransient && !e.IsAfterRetry)
        {
            book.DropEndpoint(attachment);
            throw;
        }
    }

    // The name is derived from sandbox and interface: this is our own, from a create whose answer was lost, or from an earlier ADD.
    private async Task TakeOverEndpointAsync(Attachment attachment, List<AllocatedAddress> addresses, ApiException cause, CancellationToken cancellation)
    {
        var path = ResourcePath.Danm(ApiNames.DanmEps, sandbox.Namespace, attachment.EndpointId);
        var own = await api.TryGetAsync(path, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false) ?? throw cause;
        var wanted = Endpoint(attachment, addresses);
        var mayComeAgain = cause.Unanswered > 1;
        if (own.Spec.Interface.Address != wanted.Spec.Interface.Address || own.Spec.Interface.AddressIPv6 != wanted.Spec.Interface.AddressIPv6)
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
        var labels = new Dictionary<string, string>();
        foreach (var (key, value) in sandbox.Pod.Metadata.Labels ?? [])
        {
            if (!key.StartsWith(ApiNames.Prefix, StringComparison.Ordinal))
                labels[key] = value;
        }

        labels[ApiNames.PodUidLabel] = LabelValue.For(sandbox.Pod.Metadata.Uid ?? "");
        labels[ApiNames.NetworkLabel] = attachment.Network.Ref.ToLabelValue();
        if (sandbox.NodeName is not null)
            labels[ApiNames.NodeLabel] = LabelValue.For(sandbox.NodeName);
        return new DanmEp
        {
            Metadata = new ObjectMeta
            {
                Name = attachment.EndpointId,
                Namespace = sandbox.Namespace,
                Labels = labels,
                Annotations = addresses.Count == 0 ? null : new() { [DanmEpSearch.AllocationsAnnotation] = string.Join(',', addresses.Select(a => a.Name)) },
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
                    Address = AddressText(attachment.Request.IPv4, addresses.Find(a => !a.Address.IsIPv6)),
                    AddressIPv6 = AddressText(attachment.Request.IPv6, addresses.Find(a => a.Address.IsIPv6)),
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

    private static string AddressText(IPRequest request, AllocatedAddress? address) => address?.Address.ToString() ?? request.ToString();

    private static Dictionary<string, string>? ToMap(IReadOnlyList<GatewayRoute> routes) =>
        routes.Count == 0 ? null : routes.ToDictionary(r => r.Destination.ToString(), r => r.Gateway.ToString());

    private static CniException Together(IReadOnlyList<Attachment> attachments, List<Task<AttachedInterface>> tasks)
    {
        var failures = new List<CniException>();
        for (var i = 0; i < tasks.Count; i++)
        {
            if (tasks[i].IsCompletedSuccessfully)
                continue;
            var cause = tasks[i].Exception?.InnerException ?? new OperationCanceledException();
            failures.Add(Errors.From(cause, $"interface \"{attachments[i].Interface}\" on {attachments[i].Network.Ref}"));
        }

        return failures.Count == 1
            ? failures[0]
            : new CniException(
                failures.TrueForAll(f => f.Code == failures[0].Code) ? failures[0].Code : CniErrorCode.AttachmentFailed,
                $"{failures.Count} of {attachments.Count} networks could not be set up: {string.Join("; ", failures.Select(f => f.Msg))}",
                string.Join("; ", failures.Select(f => f.Details).OfType<string>().Distinct()) is { Length: > 0 } details ? details : null);
    }
}
