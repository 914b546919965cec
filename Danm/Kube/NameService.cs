using System.Runtime.InteropServices;

namespace Danm.Kube;

/// <summary>
/// Looks names up in the hosts file and the DNS, whatever else the host's nsswitch.conf(5) asks: its modules belong to the host's C
/// library, which the one in this executable would load beside itself, of whatever version that is.
/// </summary>
internal static partial class NameService
{
    /// <summary>Holds for the whole process, from before its first look-up.</summary>
    public static void UseFilesAndDns() => _ = ConfigureLookup("hosts", "files dns");

    [LibraryImport("libc", EntryPoint = "__nss_configure_lookup", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ConfigureLookup(string database, string sources);
}
