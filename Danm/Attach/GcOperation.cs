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
        var dead = new HashSet<string>();
        foreach (var journal in await call.State.FindAsync((_, _) => true, TimeSpan.Zero, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.Last is not { } record || record.ConfigName != request.Config.Name)
                    continue;
                delegates.Add(record);
                if (alive.Contains(record.ContainerId))
                    continue;
                dead.Add(record.Key);
                await FreeAsync(journal, record, api, cancellation).ConfigureAwait(false);
            }
        }

        // A delegate knows its network, not which configuration of ours led to it: containers of others, and those that a call is at
        // work for just now, live too.
        foreach (var record in call.State.Peek("\"Delegate\":"u8.ToArray()))
        {
            if (record.Phase != SandboxPhase.Deferred && !dead.Contains(record.Key))
                delegates.AddAlive(record);
        }

        foreach (var (called, attachments) in delegates.All)
            await TryAsync(() => call.Chain.GcAsync(called, attachments, cancellation)).ConfigureAwait(false);
        if (failures.Count > 0)
            throw new CniException(failures[0].Code, string.Join("; ", failures.Select(f => f.Msg)));
    }

    private Task FreeAsync(Journal journal, SandboxRecord record, ApiClient? api, CancellationToken cancellation) => TryAsync(async () =>
    {
        await call.Release(api).RunAsync(journal, SandboxInterfaces.RecordedNetns(record), cancellation).ConfigureAwait(false);
        call.Log.Info("GC freed a container", ("freed", record.ContainerId), ("of", $"{record.PodNamespace}/{record.PodName}"));
    });

    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception e) when (e is CniException or PluginException)
        {
            failures.Add(Errors.From(e));
        }
    }
}
