using Danm.Kube;
using Danm.State;

namespace Danm.Calls;

/// <summary>Releases what earlier calls on this node could not: the next call does it, whichever plugin and container it is for.</summary>
internal static class DeferredReleases
{
    /// <summary>How many one call takes on, so that an outage's backlog weighs on no single Pod.</summary>
    private const int Most = 16;

    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(3);

    /// <summary>Never fails: it is not what the call is for. What the call itself sees to is left out.</summary>
    public static async Task RunAsync(RuntimeCall call, ApiClient api)
    {
        try
        {
            using var budget = new CancellationTokenSource(Budget);
            var journals = await call.State.FindDeferredAsync(Most, (uid, container) => !IsOfCall(call, uid, container), budget.Token).ConfigureAwait(false);
            journals.AddRange(await call.State.Addresses.FindDeferredAsync(
                Most - journals.Count, (uid, container) => !IsOfCall(call, uid, container), budget.Token).ConfigureAwait(false));
            await Task.WhenAll(journals.Select(j => ReleaseAsync(call, j, api, budget.Token))).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            call.Log.Warning("deferred releases stay deferred", ("cause", e.Message));
        }
    }

    // Journals of addresses have more than the container's id in their names (NodeState.Addresses).
    private static bool IsOfCall(RuntimeCall call, string uid, string container) =>
        uid == call.Request.Args.PodUid || container == call.Request.ContainerId
        || (container.StartsWith(call.Request.ContainerId, StringComparison.Ordinal) && container[call.Request.ContainerId.Length] == '_');

    private static async Task ReleaseAsync(RuntimeCall call, Journal journal, ApiClient api, CancellationToken cancellation)
    {
        using (journal)
        {
            // Another phase: a call marked it and ended before it wrote why; the runtime's DEL knows more.
            if (journal.Last is { Phase: SandboxPhase.Deferred })
                await call.ReleaseOfClaims(api).RunAsync(journal, cancellation).ConfigureAwait(false);
        }
    }
}
