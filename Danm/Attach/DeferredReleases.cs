using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>Releases what earlier calls on this node could not: the next call does it, whichever Pod it is for.</summary>
internal static class DeferredReleases
{
    /// <summary>How many one call takes on, so that an outage's backlog weighs on no single Pod.</summary>
    private const int Most = 16;

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    /// <param name="state">The node's.</param>
    /// <param name="api">The API server.</param>
    /// <param name="except">Pod UID and container id of sandboxes that the call itself sees to.</param>
    /// <param name="log">Says why something stays deferred.</param>
    public static async Task RunAsync(NodeState state, ApiClient api, Func<string, string, bool> except, AttachLog log)
    {
        try
        {
            using var budget = new CancellationTokenSource(Budget);
            var journals = await state.FindDeferredAsync(Most, (u, c) => !except(u, c), budget.Token).ConfigureAwait(false);
            await Task.WhenAll(journals.Select(j => ReleaseAsync(j, api, log, budget.Token))).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever it is, it is not what this call is for.
            log.Warning("deferred releases stay deferred", ("cause", e.Message));
        }
    }

    private static async Task ReleaseAsync(Journal journal, ApiClient api, AttachLog log, CancellationToken cancellation)
    {
        using (journal)
        {
            // Another phase: a call marked it and ended before it wrote why; the runtime's DEL knows more.
            if (journal.Last is { Phase: SandboxPhase.Deferred })
                await new SandboxRelease(api, log, Budget).RunAsync(journal, netns: null, cancellation).ConfigureAwait(false);
        }
    }
}
