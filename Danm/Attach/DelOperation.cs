using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
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

        if (!known && !await new EarlierNetwork(call).EndAsync(LockWait, cancellation).ConfigureAwait(false) && request.Args.PodNamespace is { } ns)
            await ReleaseUnknownAsync(ns, cancellation).ConfigureAwait(false);
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
