using System.CommandLine;

namespace Danm.Cli.Svc;

/// <summary><c>danm svc</c>: what an operator asks about Services over Pods' interfaces.</summary>
internal static class SvcCommand
{
    public static Command Create() => new("svc", "Look at Services that lead to Pods' interfaces.") { SvcInspectCommand.Create() };
}
