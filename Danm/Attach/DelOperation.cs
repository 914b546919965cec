using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Removes all that a sandbox has. Needs no namespace, Pod, network object or API server: what cannot be released now is written down
/// and released by the next call on this node.
/// </summary>
/// <param name="state">What the node remembers.</param>
/// <param name="api">The API server; null if there is no way to it.</param>
/// <param name="log">The node's log.</param>
/// <param name="patience">How long to wait for an API server that does not answer, before what it should release is written down instead.</param>
internal sealed class DelOperation(NodeState state, ApiClient? api, AttachLog log, TimeSpan patience)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    /// <summary>Whether something was written down to be released later.</summary>
    public bool HasDeferred { get; private set; }

    public async Task RunAsync(CniRequest request, CancellationToken cancellation)
    {
        var journals = await state.FindAsync((_, c) => c == request.ContainerId, deferred: false, LockWait, cancellation).ConfigureAwait(false);
        var known = false;
        foreach (var journal in journals)
        {
            using (journal)
            {
                if (journal.Last is not { } record)
                {
                    log.Warning("the journal of this container is damaged: its DanmEps tell what to release");
                    journal.Remove();
                    continue;
                }

                known = true;
                await ReleaseAsync(journal, record, request.Netns ?? record.Netns, cancellation).ConfigureAwait(false);
            }
        }

        if (!known && request.Args.PodNamespace is { } ns)
            await ReleaseUnknownAsync(request, ns, cancellation).ConfigureAwait(false);
    }

    public async Task ReleaseAsync(Journal journal, SandboxRecord record, string? netns, CancellationToken cancellation)
    {
        SandboxRelease.RemoveInterfaces(record, netns);
        var release = new SandboxRelease(api);
        using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        budget.CancelAfter(patience);
        var left = await release.ReleaseAsync(record, budget.Token).ConfigureAwait(false);
        foreach (var problem in release.Problems)
            log.Warning("cannot release now", ("cause", problem));
        if (left is null)
        {
            journal.Remove();
            return;
        }

        try
        {
            HasDeferred = true;
            journal.Defer(left);
            log.Warning("release deferred to the next call on this node", ("objects", string.Join(' ', left.Claims.Select(c => $"{c.Kind}/{c.Name}"))));
        }
        catch (IOException e)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"cannot release container {record.ContainerId} now, nor write that down: {e.Message}", string.Join("; ", release.Problems), e);
        }
    }

    // A Pod that the original attached, or whose journal is lost: its DanmEps name interfaces and addresses.
    private async Task ReleaseUnknownAsync(CniRequest request, string ns, CancellationToken cancellation)
    {
        var cid = request.Args.PodInfraContainerId ?? request.ContainerId;
        var uid = request.Args.PodUid ?? "unknown";
        try
        {
            if (api is null)
                throw new ApiUnusableException();
            using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            budget.CancelAfter(patience);
            var eps = await DanmEpSearch.ByContainerAsync(api, ns, cid, budget.Token).ConfigureAwait(false);
            if (eps.Count == 0)
                return;
            var record = DanmEpSearch.ToRecord(eps, uid, request.ContainerId, ns);
            using var journal = await state.CreateAsync(uid, request.ContainerId, LockWait, cancellation).ConfigureAwait(false);
            await ReleaseAsync(journal, record, request.Netns ?? record.Netns, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiUnusableException or ApiException { IsTransient: true } or OperationCanceledException)
        {
            log.Warning("cannot ask the API which DanmEps this container has: deferred", ("cause", e.Message));
            await DeferSearchAsync(request, ns, uid, cid, e).ConfigureAwait(false);
        }
    }

    private async Task DeferSearchAsync(CniRequest request, string ns, string uid, string cid, Exception cause)
    {
        try
        {
            HasDeferred = true;
            using var journal = await state.CreateAsync(uid, request.ContainerId, LockWait, CancellationToken.None).ConfigureAwait(false);
            journal.Defer(new SandboxRecord
            {
                ConfigName = request.Config.Name,
                ContainerId = cid,
                PodUid = uid,
                PodNamespace = ns,
                PodName = request.Args.PodName ?? "",
                Search = true,
            });
        }
        catch (IOException e)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"cannot release container {request.ContainerId} now, nor write that down: {e.Message}", cause.Message, e);
        }
    }

    private sealed class ApiUnusableException() : Exception("the kubeconfig cannot be used");
}
