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
    private readonly EndpointWriter endpoints = new(api, sandbox, book);
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
        await endpoints.CreateAsync(attachment, addresses, cancellation).ConfigureAwait(false);
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
            await endpoints.NoteAddressesAsync(attachment, addresses, cancellation).ConfigureAwait(false);
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

    private async Task<List<AllocatedAddress>> AllocateAsync(Attachment attachment, CancellationToken cancellation)
    {
        try
        {
            return await ClaimedAddresses.AllocateAsync(api, book, attachment, attachment.IPv4, attachment.IPv6, call.Tally, cancellation).ConfigureAwait(false);
        }
        catch (Exception)
        {
            book.DropEndpoint(attachment);
            throw;
        }
    }

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
