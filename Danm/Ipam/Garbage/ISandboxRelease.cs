using Danm.Api;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>Takes back all that a journal names, in the reverse of ADD's order, as DEL does.</summary>
public interface ISandboxRelease
{
    /// <summary>Releases a sandbox whose namespace is gone; what cannot be released now stays in the journal.</summary>
    /// <param name="journal">Its journal, locked.</param>
    /// <param name="endpoints">Its DanmEps, where the record was made from them.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    /// <exception cref="Cni.CniException">Something is left that cannot be written down.</exception>
    Task ReleaseAsync(Journal journal, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation);
}
