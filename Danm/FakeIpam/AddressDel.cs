using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.FakeIpam;

/// <summary>
/// DEL and GC: addresses become free again. Needs no network object, Pod or API server: what cannot be released now is written down and
/// released by the next call on this node.
/// </summary>
/// <param name="call">The call.</param>
/// <param name="api">The API server; null if there is no way to it.</param>
internal sealed class AddressDel(RuntimeCall call, ApiClient? api)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(10);

    private readonly CniRequest request = call.Request;

    /// <summary>Releases what one interface has.</summary>
    /// <param name="network">The configuration's <c>ipam.network</c>, to find by what a damaged journal does not tell.</param>
    /// <param name="cancellation">Ends the attempt; what it should have released is deferred.</param>
    /// <exception cref="CniException">It cannot be released now, nor can that be written down.</exception>
    public async Task ReleaseAsync(string network, CancellationToken cancellation)
    {
        var holder = AddressHolder.Of(request);
        var key = holder.JournalKey;
        foreach (var journal in await call.State.Addresses.FindAsync((_, k) => k == key, LockWait, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.IsDamaged)
                    journal.Write(await SearchAsync(holder, network, journal, cancellation).ConfigureAwait(false), durable: true);
                var release = call.ReleaseOfClaims(api);
                // An ADD that ended before it wrote down a first name has made nothing.
                if (journal.Last is null)
                    release.Forget(journal);
                else
                    await release.RunAsync(journal, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What the journal would have said, by the API's word.</summary>
    private async Task<SandboxRecord> SearchAsync(AddressHolder holder, string network, Journal journal, CancellationToken cancellation)
    {
        var state = $"the journal of the addresses of interface \"{holder.Interface}\" {journal.Fault ?? "is damaged"}";
        call.Log.Warning($"{state}: the API tells what to release");
        try
        {
            return new SandboxRecord
            {
                Phase = SandboxPhase.Attached,
                ConfigName = request.Config.Name,
                ContainerId = request.ContainerId,
                PodUid = request.Args.PodUid ?? "",
                Claims = api is null
                    ? throw new CniException(CniErrorCode.TryAgainLater, $"{state}, and there is no way to the API server, which would tell what to release")
                    : await AllocationSearch.ClaimsOfAsync(api, holder, NetworkName.Read(network, request.Args.PodNamespace), cancellation).ConfigureAwait(false),
            };
        }
        catch (ApiException e)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"{state}, and the API server does not tell what to release: {e.Message}", inner: e);
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
        foreach (var sight in call.State.Addresses.Survey())
        {
            if (!MayGo(sight.Last))
                continue;
            try
            {
                await FreeAsync(sight, MayGo, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is CniException or IOException)
            {
                failures.Add(Errors.From(e));
            }
        }

        if (failures.Count > 0)
            throw new CniException(failures[0].Code, string.Join("; ", failures.Select(f => f.Msg)));

        bool MayGo(SandboxRecord? record) =>
            record is not null && record.ConfigName == request.Config.Name
            && !record.Attachments.Any(a => alive.Contains(new CniAttachment(record.ContainerId, a.Interface)));
    }

    // One journal at a time: a DEL of an interface that lives waits for its lock. One that is locked has a call at work.
    private async Task FreeAsync(JournalSight sight, Predicate<SandboxRecord?> mayGo, CancellationToken cancellation)
    {
        foreach (var journal in await call.State.Addresses.FindAsync((u, k) => u == sight.PodUid && k == sight.ContainerId, TimeSpan.Zero, cancellation).ConfigureAwait(false))
        {
            using (journal)
            {
                if (journal.Last is not { } record || !mayGo(record))
                    continue;
                await call.ReleaseOfClaims(api).RunAsync(journal, cancellation).ConfigureAwait(false);
                call.Log.Info("GC freed addresses", ("freed", record.ContainerId), ("of", string.Join(' ', record.Attachments.SelectMany(a => a.Addresses))));
            }
        }
    }
}
