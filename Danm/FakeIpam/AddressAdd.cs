using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Ipam;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;

namespace Danm.FakeIpam;

/// <summary>
/// ADD: an interface gets its addresses. Every name is in the journal before it is created, and what fails is taken back; an ADD that is
/// repeated gets what the first one got.
/// </summary>
/// <param name="call">The call.</param>
/// <param name="api">The API server.</param>
/// <param name="isAbandoned">Whether nobody waits for the answer any more.</param>
internal sealed class AddressAdd(RuntimeCall call, ApiClient api, Func<bool> isAbandoned)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(15);

    private readonly CniRequest request = call.Request;

    /// <param name="reference">The network.</param>
    /// <param name="nodeName">This node's name in Kubernetes; null if configuration and token do not tell.</param>
    /// <param name="cancellation">Ends the attempt; what it had made is taken back.</param>
    /// <exception cref="CniException">Nothing is left of what failed, or the journal names it.</exception>
    public async Task<CniResult> RunAsync(NetworkRef reference, string? nodeName, CancellationToken cancellation)
    {
        var holder = AddressHolder.Of(request);
        var wanted = RequestedAddresses.Of(request);
        var node = nodeName is null ? ReadNodeNameAsync(holder.Owner, cancellation) : Task.FromResult<string?>(nodeName);
        var read = api.TryReadNetworkAsync(reference, cancellation);
        await Task.WhenAll(node, read).ConfigureAwait(false);
        var network = await read.ConfigureAwait(false)
            ?? throw new CniException(CniErrorCode.InvalidNetwork, $"{reference} does not exist: create it, or correct ipam.network", "ipam.network");
        var plan = AddressPlan.Make(network, holder.Owner, request.Args.PodNamespace, wanted, await node.ConfigureAwait(false));
        await ReleaseFormerAsync(holder, cancellation).ConfigureAwait(false);
        using var journal = await call.State.Addresses.CreateAsync(request.Args.PodUid ?? "", holder.JournalKey, LockWait, cancellation).ConfigureAwait(false);
        // With the journal open, and locked: a DEL that has found none will find no address either, and one that has waits for this ADD.
        if (isAbandoned())
            throw Abandoned(journal);
        if (await TryKeepAsync(journal.Last, plan, cancellation).ConfigureAwait(false) is { } kept)
            return plan.ToResult(kept);
        var former = journal.Last is null ? [] : await call.ReleaseOfClaims(api).CleanUpAsync(journal, cancellation).ConfigureAwait(false);
        var record = new SandboxRecord
        {
            Phase = SandboxPhase.Adding,
            ConfigName = request.Config.Name,
            ContainerId = request.ContainerId,
            PodUid = request.Args.PodUid ?? "",
            PodNamespace = holder.Owner.Namespace ?? "",
            PodName = holder.Owner.Pod ?? "",
            Netns = request.Netns,
            Attachments = [new AttachmentRecord { Interface = holder.Interface, Network = network.Ref.ToString(), EndpointId = holder.EndpointId }],
            Claims = [.. (plan.IPv4?.Names ?? []).Concat(plan.IPv6?.Names ?? []).Select(holder.Allocation), .. former],
        };
        journal.Write(record, durable: true);
        return plan.ToResult(await AllocateAsync(journal, new ClaimBook(journal, record, former), holder, plan, cancellation).ConfigureAwait(false));
    }

    private CniException Abandoned(Journal journal)
    {
        if (journal.Last is null)
            call.ReleaseOfClaims(api).Forget(journal);
        return new CniException(CniErrorCode.TryAgainLater, "the plugin that called fakeipam has ended: nobody would use the addresses");
    }

    private async Task<IReadOnlyList<CidrAddress>> AllocateAsync(
        Journal journal, ClaimBook book, AddressHolder holder, AddressPlan plan, CancellationToken cancellation)
    {
        try
        {
            var allocated = await ClaimedAddresses.AllocateAsync(api, book, holder, plan.IPv4, plan.IPv6, call.Tally, cancellation).ConfigureAwait(false);
            var addresses = allocated.ConvertAll(a => a.Address);
            var record = book.Record;
            journal.Write(
                record with { Phase = SandboxPhase.Attached, Attachments = [record.Attachments[0] with { Addresses = [.. addresses.Select(a => a.ToString())] }] },
                durable: false);
            call.Log.Info("addresses given", ("interface", holder.Interface), ("network", plan.Network.Ref.ToString()), ("addresses", string.Join(' ', addresses)));
            return addresses;
        }
        catch (Exception)
        {
            await call.RollBackAsync(journal, book.Record, budget => call.ReleaseOfClaims(api).RunAsync(journal, budget)).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What an earlier ADD of this interface got, if that is what the plan asks for and all of it is still there; else null.</summary>
    private async Task<IReadOnlyList<CidrAddress>?> TryKeepAsync(SandboxRecord? record, AddressPlan plan, CancellationToken cancellation)
    {
        if (record is not { Phase: SandboxPhase.Attached, Attachments: [var attachment] } || attachment.Network != plan.Network.Ref.ToString())
            return null;
        var addresses = new List<CidrAddress>();
        foreach (var text in attachment.Addresses)
        {
            if (CidrAddress.TryParse(text, out var address))
                addresses.Add(address);
        }

        return plan.IsMetBy(addresses) && await AddressCheck.DifferenceAsync(api, record, cancellation).ConfigureAwait(false) is null ? addresses : null;
    }

    /// <summary>
    /// Releases what earlier sandboxes of the same Pod held that exist no more, as after a node's reboot: that lets a static address come
    /// back. What cannot be released now is deferred.
    /// </summary>
    private async Task ReleaseFormerAsync(AddressHolder holder, CancellationToken cancellation)
    {
        if (request.Args.PodUid is not { } pod)
            return;
        // A journal that is locked belongs to a call at work: its sandbox is nobody's former one.
        foreach (var journal in await call.State.Addresses.FindAsync((uid, key) => uid == pod && key != holder.JournalKey, TimeSpan.Zero, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.Last is { } record && record.ContainerId != request.ContainerId && (record.Phase == SandboxPhase.Deferred || NodeState.IsDead(record)))
                    await call.ReleaseOfClaims(api).RunAsync(journal, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The node that the Pod is on; null if there is no Pod, or the API does not say.</summary>
    private async Task<string?> ReadNodeNameAsync(IPAllocationOwner owner, CancellationToken cancellation)
    {
        if (owner is not { Namespace: { } ns, Pod: { } name })
            return null;
        try
        {
            var pod = await api.TryGetAsync(ResourcePath.Core("pods", ns, name), ApiJson.Default.Pod, cancellation).ConfigureAwait(false);
            return pod?.Spec.NodeName;
        }
        catch (ApiException e)
        {
            // It is only for those who clean up after nodes that are gone.
            call.Log.Warning("the Pod's node is not known", ("cause", e.Message));
            return null;
        }
    }
}
