using System.Globalization;

namespace Danm.Ipam;

/// <summary>
/// The order in which a server lists the allocations of one segment: that of their names. Groups of IPv6 addresses have a fixed width, so
/// there it is the order of the addresses; the numbers of IPv4 addresses have none, so 10 comes before 9.
/// </summary>
internal static class NameOrder
{
    // What follows a number, '-' or '.', is less than every digit: a number comes before its own continuations, as in a dictionary.
    private static readonly byte[] Numbers = [.. Enumerable.Range(0, 256).Select(n => (byte)n).OrderBy(n => n.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal)];
    private static readonly byte[] Places = [.. Enumerable.Range(0, 256).Select(n => (byte)Array.IndexOf(Numbers, (byte)n))];

    /// <summary>The place of an address, as a number, among all of its family.</summary>
    public static UInt128 PlaceOf(UInt128 address, bool ipv6) => Map(address, ipv6, Places);

    /// <summary>The address at a place.</summary>
    public static UInt128 At(UInt128 place, bool ipv6) => Map(place, ipv6, Numbers);

    private static UInt128 Map(UInt128 value, bool ipv6, byte[] map)
    {
        if (ipv6)
            return value;
        var v = (uint)value;
        return ((uint)map[v >> 24] << 24) | ((uint)map[(v >> 16) & 0xff] << 16) | ((uint)map[(v >> 8) & 0xff] << 8) | map[v & 0xff];
    }
}
