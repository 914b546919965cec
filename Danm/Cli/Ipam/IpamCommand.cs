using System.CommandLine;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam</c>: what an operator asks and does about addresses.</summary>
internal static class IpamCommand
{
    public static Command Create() => new("ipam", "Look at the addresses that networks give out, free what is leaked, release an address.")
    {
        InspectCommand.Create(),
        GcCommand.Create(),
        ReleaseCommand.Create(),
    };
}
