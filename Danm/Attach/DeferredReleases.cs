using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>Releases what earlier calls on this node could not: the next call does it, whichever Pod it is for.</summary>
internal static class DeferredReleases
{
    /// <summary>How many one call takes on, so that an outage's backlog weighs on no single Pod.</summary>
    private const int Most = 16;

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    /// <summary>Never fails: it is not what the call is for. Sandboxes that the call itself sees to are left out.</summary>
    public static async Task RunAsync(NodeCall call, ApiClient api)
    {
        try
        {
            using var budget = new CancellationTokenSource(Budget);
            var journals = await call.State.FindDeferredAsync(Most, (uid, container) => container != call.Request.ContainerId && uid != call.Request.Args.PodUid, budget.Token).ConfigureAwait(false);
            await Task.WhenAll(journals.Select(j => ReleaseAsync(call, j, api, budget.Token))).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            call.Log.Warning("deferred releases stay deferred", ("cause", e.Message));
        }
    }

    private static async Task ReleaseAsync(NodeCall call, Journal journal, ApiClient api, CancellationToken cancellation)
    {
        using (journal)
        {
            // Another phase: a call marked it and ended before it wrote why; the runtime's DEL knows more.
            if (journal.Last is { Phase: SandboxPhase.Deferred })
                await call.Release(api).RunAsync(journal, netns: null, cancellation).ConfigureAwait(false);
        }
    }
}
