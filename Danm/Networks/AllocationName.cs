using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Danm.Netlink;

namespace Danm.Networks;

/// <summary>
/// The names of IPAllocations: address, dot, segment. One address on one segment has one name, so that creating the object
/// is the lock on the address.
/// </summary>
public static class AllocationName
{
    /// <summary><c>10-1-0-5.vlan500.ens4</c>; IPv6 as eight groups of four hex digits, all written out.</summary>
    public static string For(IPAddress address, Segment segment)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(segment);
        return $"{Spell(address)}.{segment.Name}";
    }

    /// <summary>Reads a name back. Only the one spelling that <see cref="For"/> makes is taken.</summary>
    /// <param name="name">An object's name.</param>
    /// <param name="address">The address.</param>
    /// <param name="segmentName"><see cref="Segment.Name"/> of the segment, which may be a hash.</param>
    public static bool TryParse(
        string? name, [NotNullWhen(true)] out IPAddress? address, [NotNullWhen(true)] out string? segmentName)
    {
        (address, segmentName) = (null, null);
        var dot = name?.IndexOf('.') ?? -1;
        if (dot <= 0 || dot == name!.Length - 1)
            return false;
        var spelled = name.AsSpan(0, dot);
        var text = spelled.ToString().Replace('-', spelled.Count('-') == 7 ? ':' : '.');
        if (!CidrAddress.TryParseAddress(text, out address) || !spelled.SequenceEqual(Spell(address)))
            return false;
        segmentName = name[(dot + 1)..];
        return true;
    }

    private static string Spell(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return address.ToString().Replace('.', '-');
        var digits = CidrAddress.ToValue(address).ToString("x32", CultureInfo.InvariantCulture);
        return string.Create(39, digits, static (name, digits) =>
        {
            for (var group = 0; group < 8; group++)
            {
                digits.AsSpan(group * 4, 4).CopyTo(name[(group * 5)..]);
                if (group < 7)
                    name[(group * 5) + 4] = '-';
            }
        });
    }
}
