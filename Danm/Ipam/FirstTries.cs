using System.Net;
using Danm.Netlink;

namespace Danm.Ipam;

/// <summary>The addresses that a claim tries first, and where the next ones come from.</summary>
public sealed class FirstTries
{
    // Nearly every claim succeeds at once or at the second try; more names would only be looked up in vain after a crash.
    private const int Count = 2;

    internal FirstTries(AddressClaim claim, IReadOnlyList<IPAddress> addresses, IEnumerator<IPAddress>? rest) =>
        (Claim, Addresses, Rest) = (claim, addresses, rest);

    /// <summary>The claim.</summary>
    public AddressClaim Claim { get; }

    /// <summary>The names of the IPAllocations that may come to be.</summary>
    public IReadOnlyList<string> Names => [.. Addresses.Select(Claim.NameOf)];

    /// <summary>The address that is tried first; null if the pool has none that can be given.</summary>
    public CidrAddress? First => Addresses.Count == 0 ? null : Claim.WithPrefix(Addresses[0]);

    internal IReadOnlyList<IPAddress> Addresses { get; }

    internal IEnumerator<IPAddress>? Rest { get; }

    internal static FirstTries Of(AddressClaim claim, IEnumerator<IPAddress> candidates) => new(claim, Next(candidates, Count), candidates);

    internal static List<IPAddress> Next(IEnumerator<IPAddress> candidates, int count)
    {
        var batch = new List<IPAddress>(count);
        while (batch.Count < count && candidates.MoveNext())
            batch.Add(candidates.Current);
        return batch;
    }
}
