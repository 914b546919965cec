using System.Security.Cryptography;
using System.Text;

namespace Danm.Networks;

/// <summary>The name of a DanmEp.</summary>
public static class EndpointId
{
    /// <summary>
    /// A UUIDv8 (RFC 9562 section 5.8) of the three texts: the same interface of the same sandbox always gets the same
    /// one, so that a create that is sent twice meets itself.
    /// </summary>
    public static string For(string podUid, string containerId, string interfaceName)
    {
        ArgumentNullException.ThrowIfNull(podUid);
        ArgumentNullException.ThrowIfNull(containerId);
        // With the lengths in it, no two triples make one text.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{podUid.Length}:{podUid}:{containerId.Length}:{containerId}:{interfaceName}"));
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true).ToString();
    }
}
