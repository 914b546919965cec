using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.FakeIpam;

/// <summary>
/// DEL and GC: addresses become free again. Needs no network object, Pod or API server: what cannot be released now is written down and
/// released by the next call on this node.
/// </summary>
internal sealed class AddressDel(RuntimeCall call, ApiClient? api)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    private readonly CniRequest request = call.Request;

    /// <summary>Releases what one interface has.</summary>
    /// <exception cref="CniException">It cannot be released now, nor can that be written down.</exception>
    public async Task ReleaseAsync(CancellationToken cancellation)
    {
        var key = AddressHolder.Of(request).JournalKey;
        foreach (var journal in await call.State.Addresses.FindAsync((_, k) => k == key, LockWait, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.IsDamaged)
                    call.Log.Warning($"the journal of this interface's addresses {journal.Fault ?? "is damaged"}: they stay reserved");
                var release = call.ReleaseOfClaims(api);
                // An ADD that ended before it wrote down a first name has made nothing.
                if (journal.Last is null)
                    release.Forget(journal);
                else
                    await release.RunAsync(journal, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Releases what ADDs under this configuration's name gave to interfaces that the runtime does not list (CNI specification 1.1.0,
    /// section 2, "GC"). Without a list nobody says what is alive: nothing is freed.
    /// </summary>
    /// <exception cref="CniException">Every failure; one that fails keeps no other from its turn.</exception>
    public async Task CollectAsync(CancellationToken cancellation)
    {
        if (request.Config.ValidAttachments is not { } valid)
            return;
        var alive = valid.ToHashSet();
        var failures = new List<CniException>();
        // Those that are locked have a call at work.
        foreach (var journal in await call.State.Addresses.FindAsync((_, _) => true, TimeSpan.Zero, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.Last is not { } record || record.ConfigName != request.Config.Name
                    || record.Attachments.Any(a => alive.Contains(new CniAttachment(record.ContainerId, a.Interface))))
                    continue;
                try
                {
                    await call.ReleaseOfClaims(api).RunAsync(journal, cancellation).ConfigureAwait(false);
                    call.Log.Info("GC freed addresses", ("freed", record.ContainerId), ("of", string.Join(' ', record.Attachments.SelectMany(a => a.Addresses))));
                }
                catch (CniException e)
                {
                    failures.Add(e);
                }
            }
        }

        if (failures.Count > 0)
            throw new CniException(failures[0].Code, string.Join("; ", failures.Select(f => f.Msg)));
    }
}
