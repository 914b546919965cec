using System.CommandLine;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam</c>: what operators do with addresses.</summary>
internal static class IpamCommand
{
    public static Command Create() => new("ipam", "Free what is leaked, release an address.")
    {
        GcCommand.Create(),
        ReleaseCommand.Create(),
    };
}
