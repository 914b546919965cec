using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Removes all that a sandbox has. Needs no namespace, Pod, network object or API server: what cannot be released now is written down
/// and released by the next call on this node.
/// </summary>
internal sealed class DelOperation(NodeCall call, ApiClient? api)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    private readonly CniRequest request = call.Request;

    public async Task RunAsync(CancellationToken cancellation)
    {
        var journals = await call.State.FindAsync((_, c) => c == request.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        var known = false;
        foreach (var journal in journals)
        {
            using (journal)
            {
                if (journal.Last is not { } record)
                {
                    // An ADD that ended before it wrote down a first name has made nothing.
                    if (journal.IsDamaged)
                        call.Log.Warning($"the journal of this container {journal.Fault ?? "is damaged"}: its DanmEps tell what to release");
                    call.Release(api).Forget(journal);
                    continue;
                }

                // A DanmEp that names this container can make a record of another Pod under its id: that is not what was asked for.
                known |= request.Args.PodNamespace is not { } asked || record.PodNamespace == asked;
                var netns = request.Netns ?? SandboxInterfaces.RecordedNetns(record);
                await call.Release(api).RunAsync(journal, netns, cancellation).ConfigureAwait(false);
            }
        }

        if (!known && !await EndEarlierAsync(cancellation).ConfigureAwait(false) && request.Args.PodNamespace is { } ns)
            await ReleaseUnknownAsync(ns, cancellation).ConfigureAwait(false);
    }

    /// <summary>Ends what the node's network before Danm attached; false if it attached nothing.</summary>
    private async Task<bool> EndEarlierAsync(CancellationToken cancellation)
    {
        using var earlier = await FindEarlierAsync(cancellation).ConfigureAwait(false);
        if (earlier is null)
            return false;
        try
        {
            var netns = request.Netns is { Length: > 0 } path && !NodeState.IsGone(path) ? path : null;
            await call.Chain.DelAsync(earlier.Made, new PluginCall("DEL", request.ContainerId, request.IfName, netns), request.Patience(), cancellation).ConfigureAwait(false);
            call.Log.Info("ended what another network had attached before danm", ("network", earlier.Network));
            Forget(earlier);
        }
        catch (PluginException e) when (e.IsMissing)
        {
            // It went with its network: waiting for it would keep the Pod for good. The file stays, by which a later DEL may have it.
            call.Log.Warning(
                "what another network had attached before danm is not given back: its plugin is gone", ("network", earlier.Network), ("file", earlier.Path), ("cause", e.Message));
        }
        catch (Exception e) when (e is PluginException or CniException)
        {
            throw new CniException(
                CniErrorCode.DelegateFailed,
                $"what network {CniText.Quote(earlier.Network)} attached before danm cannot be ended: {e.Message}; the next DEL tries again, and to give it up, delete {earlier.Path}",
                (e as PluginException)?.Details,
                e);
        }

        return true;
    }

    // Nothing is left of it but the file, which does no harm.
    private void Forget(EarlierAttachment earlier)
    {
        try
        {
            earlier.Forget();
        }
        catch (IOException e)
        {
            call.Log.Warning("a file of the runtime about a container that has ended cannot be removed", ("file", earlier.Path), ("cause", e.Message));
        }
    }

    private async Task<EarlierAttachment?> FindEarlierAsync(CancellationToken cancellation)
    {
        try
        {
            var folder = Path.Combine(Path.GetDirectoryName(call.State.Folder)!, EarlierAttachment.FolderName);
            return await EarlierAttachment.FindAsync(folder, request.ContainerId, request.IfName, LockWait, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"cannot look now what another network had attached to container {request.ContainerId} before danm: {e.Message}", inner: e);
        }
        catch (CniException e) when (e.Code != CniErrorCode.TryAgainLater)
        {
            // It will not get better by another call, and of nothing else it is known which plugins there were.
            call.Log.Warning("what the runtime remembers of this container cannot be used: nothing but danm's own is released", ("cause", e.Message));
            return null;
        }
    }

    // A Pod that the original attached, or whose journal is lost: its DanmEps name interfaces and addresses.
    private async Task ReleaseUnknownAsync(string ns, CancellationToken cancellation)
    {
        var record = new SandboxRecord
        {
            Phase = SandboxPhase.Attached,
            ConfigName = request.Config.Name,
            ContainerId = request.Args.PodInfraContainerId ?? request.ContainerId,
            PodUid = request.Args.PodUid ?? "unknown",
            PodNamespace = ns,
            PodName = request.Args.PodName ?? "",
            Netns = request.Netns,
            Search = true,
        };
        if (api is not null && await FindAsync(record, cancellation).ConfigureAwait(false) is { } found)
        {
            if (found.Claims.Count == 0)
                return;
            record = found;
        }
        else if (request.Netns is { Length: > 0 } netns && !NodeState.IsGone(netns))
        {
            // Its interfaces may still send, and this is the last call that is told where they are.
            throw new CniException(
                CniErrorCode.TryAgainLater,
                $"container {request.ContainerId} has no journal, and the API server cannot be asked now which interfaces it has: nothing is released");
        }

        using var journal = await BeginAsync(record, cancellation).ConfigureAwait(false);
        await call.Release(api).RunAsync(journal, request.Netns, cancellation).ConfigureAwait(false);
    }

    /// <summary>A journal with the record, which is on the disk before the first of what it names goes.</summary>
    private async Task<Journal> BeginAsync(SandboxRecord record, CancellationToken cancellation)
    {
        try
        {
            var journal = await call.State.CreateAsync(record.PodUid, request.ContainerId, LockWait, cancellation).ConfigureAwait(false);
            if (journal.Last is null)
                journal.Write(record, durable: true);
            return journal;
        }
        catch (IOException e)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"container {request.ContainerId} has no journal, and there can be none now to release it by: {e.Message}", inner: e);
        }
    }

    /// <summary>The record with what the API knows of the sandbox; null if it cannot be asked now.</summary>
    private async Task<SandboxRecord?> FindAsync(SandboxRecord record, CancellationToken cancellation)
    {
        try
        {
            using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            budget.CancelAfter(request.Patience());
            var endpoints = await DanmEpSearch.ByContainerAsync(api!, record.PodNamespace, record.ContainerId, budget.Token).ConfigureAwait(false);
            return endpoints.Count == 0
                ? record with { Search = false }
                : await new DelegateRecovery(call, new PodReader(api!)).CompleteAsync(DanmEpSearch.ToRecord(endpoints, record), endpoints, budget.Token).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return record with { Search = false };
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            call.Log.Warning("cannot ask the API which DanmEps this container has: deferred", ("cause", e.Message));
            return null;
        }
    }
}
