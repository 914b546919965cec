using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Releases earlier sandboxes of the same Pod that no longer exist, as after a node's reboot: that is what lets a static address come
/// back. A sandbox that still lives is left to its own DEL.
/// </summary>
internal sealed class FormerSandboxes(NodeCall call, ApiClient api, PodReader reader)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    /// <param name="sandbox">The new sandbox.</param>
    /// <param name="endpoints">The Pod's DanmEps, for sandboxes that the journal does not know.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task ReleaseAsync(PodSandbox sandbox, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation)
    {
        var known = await ReleaseKnownAsync(sandbox, cancellation).ConfigureAwait(false);
        foreach (var group in endpoints.GroupBy(e => e.Spec.ContainerId ?? ""))
        {
            // K8S_POD_INFRA_CONTAINER_ID and CNI_CONTAINERID are the same but for runtimes of old.
            if (known.Contains(group.Key) || !CniNames.IsName(group.Key))
                continue;
            var isOwn = group.Key == sandbox.Cid;
            if (!isOwn && group.Any(e => e.Spec.Netns is { Length: > 0 } netns && !NodeState.IsGone(netns)))
                continue;
            // Any container can be named in a DanmEp; those of other Pods are theirs to release.
            if (!isOwn && call.State.IsOfAnotherPod(group.Key, sandbox.Uid))
            {
                call.Log.Warning("a DanmEp of the Pod names another Pod's container: passed over", ("former", group.Key), ("danmep", group.First().Metadata.Name ?? ""));
                continue;
            }

            using var journal = await call.State.CreateAsync(sandbox.Uid, group.Key, LockWait, cancellation).ConfigureAwait(false);
            // Whoever held it a moment ago has written down what DanmEps can only claim.
            if (journal.Last is not null)
                continue;
            // Without a path of a namespace: no later call goes into one that a DanmEp named.
            var record = DanmEpSearch.ToRecord(
                [.. group], new SandboxRecord { ContainerId = group.Key, PodUid = sandbox.Uid, PodNamespace = sandbox.Namespace, PodName = sandbox.Name });
            journal.Write(await new DelegateRecovery(call, reader).CompleteAsync(record, [.. group], cancellation).ConfigureAwait(false), durable: true);
            await call.Release(api).RunAsync(journal, isOwn ? sandbox.Netns : null, cancellation).ConfigureAwait(false);
            call.Log.Info("released a former sandbox of the Pod by its DanmEps", ("former", group.Key));
        }
    }

    private async Task<HashSet<string>> ReleaseKnownAsync(PodSandbox sandbox, CancellationToken cancellation)
    {
        // A journal that is locked belongs to a call at work: its sandbox is nobody's former one. Our own is looked at later.
        var known = new HashSet<string>();
        var journals = await call.State.FindAsync((u, _) => u == sandbox.Uid, TimeSpan.Zero, cancellation).ConfigureAwait(false);
        foreach (var journal in journals)
        {
            using (journal)
            {
                if (journal.Last is not { } record)
                    continue;
                known.Add(record.ContainerId);
                if (record.ContainerId == sandbox.ContainerId || (record.Phase != SandboxPhase.Deferred && !NodeState.IsDead(record)))
                    continue;
                await call.Release(api).RunAsync(journal, netns: null, cancellation).ConfigureAwait(false);
                call.Log.Info("released a former sandbox of the Pod", ("former", record.ContainerId));
            }
        }

        return known;
    }
}
