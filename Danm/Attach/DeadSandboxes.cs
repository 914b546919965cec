using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>Garbage collection's way to take sandboxes back: delegates' DEL without a namespace, DanmEps, addresses, journal.</summary>
internal sealed class DeadSandboxes(NodeCall call, ApiClient api) : ISandboxRelease
{
    public async Task ReleaseAsync(Journal journal, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation)
    {
        if (endpoints.Count > 0)
        {
            var record = await new DelegateRecovery(call, new PodReader(api)).CompleteAsync(journal.Last!, endpoints, cancellation).ConfigureAwait(false);
            journal.Write(record, durable: true);
        }

        await call.Release(api).RunAsync(journal, netns: null, cancellation).ConfigureAwait(false);
        call.Log.Info("garbage collection released a sandbox", ("freed", journal.Last?.ContainerId));
    }
}
