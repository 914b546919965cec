using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Danm.Api;

namespace Danm.Svcwatcher.Slices;

/// <summary>
/// Names of slices, derived and not random: a create that is sent again, since its answer was lost, meets itself.
/// </summary>
internal static class SliceNames
{
    /// <summary>The first names of the Service that are not in use.</summary>
    /// <param name="service">The Service.</param>
    /// <param name="used">Those that are.</param>
    public static IEnumerable<string> Free(Service service, IReadOnlySet<string> used)
    {
        for (var slot = 0; ; slot++)
        {
            var name = Of(service, slot);
            if (!used.Contains(name))
                yield return name;
        }
    }

    private static string Of(Service service, int slot)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{service.Metadata.Uid}\n{slot}")));
        return $"{service.Metadata.Name}-{Convert.ToHexStringLower(hash.AsSpan(0, 4))}";
    }
}
