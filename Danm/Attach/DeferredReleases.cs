using Danm.State;

namespace Danm.Attach;

/// <summary>Releases what earlier calls on this node could not: the next call does it, whichever Pod it is for.</summary>
internal static class DeferredReleases
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    public static async Task RunAsync(NodeState state, Kube.ApiClient api, string? exceptContainer, AttachLog log)
    {
        try
        {
            if (!state.HasDeferred)
                return;
            using var budget = new CancellationTokenSource(Budget);
            var journals = await state.FindAsync((_, c) => c != exceptContainer, deferred: true, TimeSpan.Zero, budget.Token).ConfigureAwait(false);
            await Task.WhenAll(journals.Select(j => ReleaseAsync(j, api, budget.Token))).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            log.Warning("deferred releases stay deferred", ("cause", e.Message));
        }
    }

    private static async Task ReleaseAsync(Journal journal, Kube.ApiClient api, CancellationToken cancellation)
    {
        using (journal)
        {
            if (journal.Last is not { } record)
            {
                if (!journal.IsDamaged)
                    journal.Remove();
                return;
            }

            var left = await new SandboxRelease(api).ReleaseAsync(record, cancellation).ConfigureAwait(false);
            if (left is null)
                journal.Remove();
        }
    }
}
