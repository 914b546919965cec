using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Danm.Networks;

namespace Danm.Ipam;

/// <summary>
/// The addresses that a dynamic claim tries blindly: first the one that its Pod's name leads to, so that a StatefulSet's Pod tends to
/// keep its address and writers spread, then random ones. A container of no Pod has its id for a name.
/// </summary>
internal static class AddressCandidates
{
    /// <summary>How many are tried before the segment's allocations are listed: 1 % of the pool, 4 to 256.</summary>
    public static int Tries(AddressPool pool) => (int)UInt128.Clamp(pool.Size / 100, 4, 256);

    public static IEnumerable<IPAddress> Of(AddressClaim claim)
    {
        var pool = claim.Pool;
        var index = Start(claim);
        var tried = new HashSet<UInt128>();
        for (var i = Tries(pool); i > 0; i--)
        {
            // In a tiny pool chance meets itself.
            if (tried.Add(index) && pool.At(index) is var address && !pool.IsReserved(address))
                yield return address;
            index = Random(pool.Size);
        }
    }

    private static UInt128 Start(AddressClaim claim)
    {
        var owner = claim.Owner;
        var text = $"{claim.Network.Ref}\n{owner.Namespace}\n{owner.Pod ?? owner.ContainerId}\n{owner.Interface}";
        return BinaryPrimitives.ReadUInt128BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) % claim.Pool.Size;
    }

    private static UInt128 Random(UInt128 size)
    {
        Span<byte> bytes = stackalloc byte[16];
        System.Random.Shared.NextBytes(bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes) % size;
    }
}
