using System.CommandLine;
using Danm.Install;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm uninstall</c>: takes Danm from this node.</summary>
internal static class UninstallCommand
{
    public static Command Create()
    {
        var folders = new HostFolders();
        var state = new Option<string>("--state-dir") { Description = "What the node remembers of its Pods.", DefaultValueFactory = _ => NodeState.DefaultFolder, HelpName = "FOLDER" };
        var force = new Option<bool>("--force") { Description = "Also while Pods of this node have interfaces by Danm." };
        var command = new Command("uninstall", "Take Danm from this node: new Pods get the primary network alone.") { state, force };
        folders.AddTo(command);
        command.SetAction(parsed =>
        {
            using var logs = Logging.ToConsole(json: false, LogLevel.Information);
            new Uninstaller(folders.BinDir(parsed), folders.ConfDir(parsed), parsed.GetRequiredValue(state), logs.CreateLogger("uninstall")).Run(parsed.GetValue(force));
        });
        return command;
    }
}
