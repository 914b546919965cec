using System.CommandLine;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam</c>: what an operator asks and does about addresses.</summary>
internal static class IpamCommand
{
    public static Command Create() => new("ipam", "Look at the addresses that networks give out, and free what is left over.") { InspectCommand.Create() };
}
