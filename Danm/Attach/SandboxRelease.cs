using Danm.Calls;
using Danm.Cni;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Takes back what a sandbox's journal names, in the reverse of ADD's order: interface, DanmEp, address. An address is free only when
/// nothing can send from it and nothing points to it.
/// </summary>
/// <param name="claims">Takes back API objects.</param>
/// <param name="interfaces">Removes interfaces.</param>
internal sealed class SandboxRelease(ClaimRelease claims, SandboxInterfaces interfaces)
{
    /// <summary>Releases everything; what is left stays in the journal, marked.</summary>
    /// <param name="journal">The sandbox's journal, whose last record is released.</param>
    /// <param name="netns">Where its interfaces are; null: they are gone.</param>
    /// <param name="cancellation">Ends the attempt; what it should have released is deferred.</param>
    /// <exception cref="CniException">An interface stays, or what is left cannot be written down.</exception>
    public async Task RunAsync(Journal journal, string? netns, CancellationToken cancellation)
    {
        var record = journal.Last ?? throw new InvalidOperationException("an empty journal names nothing");
        if (record.Phase != SandboxPhase.Deferred)
            await interfaces.RemoveAsync(record, netns, cancellation).ConfigureAwait(false);
        await claims.RunAsync(journal, cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes back what an earlier ADD of the same sandbox left; gives what of it may still come.</summary>
    /// <exception cref="CniException">Something is left for certain.</exception>
    public async Task<IReadOnlyList<ClaimRecord>> CleanUpAsync(Journal journal, string netns, CancellationToken cancellation)
    {
        await interfaces.RemoveAsync(journal.Last!, netns, cancellation).ConfigureAwait(false);
        return await claims.CleanUpAsync(journal, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ClaimRelease.Forget"/>
    public void Forget(Journal journal) => claims.Forget(journal);
}
