using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Removes all that a sandbox has. Needs no namespace, Pod, network object or API server: what cannot be released now is written down
/// and released by the next call on this node.
/// </summary>
internal sealed class DelOperation(NodeState state, ApiClient? api, AttachLog log)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CniRequest request, CancellationToken cancellation)
    {
        var journals = await state.FindAsync((_, c) => c == request.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        var known = false;
        foreach (var journal in journals)
        {
            using (journal)
            {
                if (journal.Last is not { } record)
                {
                    // An ADD that ended before it wrote down a first name has made nothing.
                    if (journal.IsDamaged)
                        log.Warning("the journal of this container is damaged: its DanmEps tell what to release");
                    journal.Remove();
                    continue;
                }

                // A DanmEp that names this container can make a record of another Pod under its id: that is not what was asked for.
                known |= request.Args.PodNamespace is not { } asked || record.PodNamespace == asked;
                var netns = request.Netns ?? SandboxInterfaces.RecordedNetns(record);
                await new SandboxRelease(api, log, request.Patience()).RunAsync(journal, netns, cancellation).ConfigureAwait(false);
            }
        }

        if (!known && request.Args.PodNamespace is { } ns)
            await ReleaseUnknownAsync(request, ns, cancellation).ConfigureAwait(false);
    }

    // A Pod that the original attached, or whose journal is lost: its DanmEps name interfaces and addresses.
    private async Task ReleaseUnknownAsync(CniRequest request, string ns, CancellationToken cancellation)
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
        if (api is not null && await FindAsync(record, request.Patience(), cancellation).ConfigureAwait(false) is { } found)
        {
            if (found.Claims.Count == 0)
                return;
            record = found;
        }

        using var journal = await state.CreateAsync(record.PodUid, request.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        if (journal.Last is null)
            journal.Write(record, durable: true);
        await new SandboxRelease(api, log, request.Patience()).RunAsync(journal, request.Netns, cancellation).ConfigureAwait(false);
    }

    /// <summary>The record with what the API knows of the sandbox; null if it cannot be asked now.</summary>
    private async Task<SandboxRecord?> FindAsync(SandboxRecord record, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            budget.CancelAfter(patience);
            var endpoints = await DanmEpSearch.ByContainerAsync(api!, record.PodNamespace, record.ContainerId, budget.Token).ConfigureAwait(false);
            return endpoints.Count == 0
                ? record with { Search = false }
                : DanmEpSearch.ToRecord(endpoints, record) with { ConfigName = record.ConfigName };
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return record with { Search = false };
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException)
        {
            log.Warning("cannot ask the API which DanmEps this container has: deferred", ("cause", e.Message));
            return null;
        }
    }
}
