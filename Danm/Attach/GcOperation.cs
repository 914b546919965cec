using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Frees what ADDs under this configuration's name made for containers that the runtime does not list, and tells each delegate in use
/// which of its attachments live (CNI specification 1.1.0, section "GC"). Without a list nobody says what is alive: nothing is freed.
/// </summary>
internal sealed class GcOperation(NodeCall call)
{
    private readonly CniRequest request = call.Request;
    private readonly List<CniException> failures = [];

    /// <exception cref="CniException">Every failure; one sandbox or plugin that fails keeps no other from its turn.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (request.Config.ValidAttachments is not { } valid)
            return;
        var alive = valid.Select(a => a.ContainerId).ToHashSet();
        using var api = call.TryConnect();
        var delegates = new DelegatesInUse();
        foreach (var sight in call.State.Survey())
        {
            if (sight.Last is not { } record || !IsOurs(record))
                continue;
            delegates.Add(record);
            if (!alive.Contains(record.ContainerId))
                await TryAsync(() => FreeAsync(sight, api, cancellation), cancellation).ConfigureAwait(false);
        }

        await TellDelegatesAsync(delegates, alive, cancellation).ConfigureAwait(false);
        if (failures.Count > 0)
            throw new CniException(failures[0].Code, string.Join("; ", failures.Select(f => f.Msg)));
    }

    private bool IsOurs(SandboxRecord record) => record.ConfigName == request.Config.Name;

    // One journal at a time: a DEL of a container that lives waits for its lock. One that another call holds is at work.
    private async Task FreeAsync(JournalSight sight, ApiClient? api, CancellationToken cancellation)
    {
        foreach (var journal in await call.State.FindAsync((u, c) => u == sight.PodUid && c == sight.ContainerId, TimeSpan.Zero, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.Last is not { } record || !IsOurs(record))
                    continue;
                await call.Release(api).RunAsync(journal, SandboxInterfaces.RecordedNetns(record), cancellation).ConfigureAwait(false);
                call.Log.Info("GC freed a container", ("freed", record.ContainerId), ("of", $"{record.PodNamespace}/{record.PodName}"));
            }
        }
    }

    /// <summary>
    /// A delegate knows its network, not which configuration of ours led to it: containers of others live too, and those that a call
    /// is at work for just now, and those that could not be freed. One that lives by the runtime's word alone has attachments that
    /// nobody can name: then no delegate may free anything.
    /// </summary>
    private async Task TellDelegatesAsync(DelegatesInUse delegates, HashSet<string> alive, CancellationToken cancellation)
    {
        var unknown = new HashSet<string>(alive);
        foreach (var sight in call.State.Survey())
        {
            if (sight.Last is not { } record)
                continue;
            if (record.Phase != SandboxPhase.Deferred)
                delegates.AddAlive(record);
            if (record.Attachments.All(a => a.UnknownDelegate is null))
                unknown.Remove(record.ContainerId);
        }

        if (unknown.Count > 0)
        {
            call.Log.Warning(
                "GC of delegates left out: no readable journal tells the attachments of containers that the runtime says are valid",
                ("containers", string.Join(' ', unknown.Order(StringComparer.Ordinal))));
            return;
        }

        foreach (var (called, attachments) in delegates.All)
            await TryAsync(() => call.Chain.GcAsync(called, attachments, cancellation), cancellation).ConfigureAwait(false);
    }

    private async Task TryAsync(Func<Task> step, CancellationToken cancellation)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception e) when (e is CniException or PluginException or IOException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            failures.Add(Errors.From(e));
        }
    }
}
