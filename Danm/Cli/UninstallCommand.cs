using System.CommandLine;
using Danm.Install;
using Danm.State;

namespace Danm.Cli;

/// <summary><c>danm uninstall</c>: takes Danm from this node.</summary>
internal static class UninstallCommand
{
    public const string Name = "uninstall";

    public static Command Create()
    {
        var folders = new HostFolders();
        var state = new Option<string>("--state-dir") { Description = "What the node remembers of its Pods.", DefaultValueFactory = _ => NodeState.DefaultFolder, HelpName = "FOLDER" };
        var force = new Option<bool>("--force") { Description = "Also while Pods of this node have interfaces by Danm." };
        var stay = new Option<bool>("--stay") { Description = "Remove the configuration at once, the rest when the last Pod with interfaces by Danm has ended, and stay (runs as a DaemonSet)." };
        var mode = new ModeOptions();
        var command = new Command(Name, "Take Danm from this node: new Pods get the primary network alone.") { state, force, stay };
        command.Validators.Add(result =>
        {
            if (result.GetValue(stay) && result.GetValue(force))
                result.AddError("--stay waits for what --force does not wait for: use one of them");
        });
        folders.AddTo(command);
        mode.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var logs = mode.Log(parsed);
            var uninstaller = new Uninstaller(folders.BinDir(parsed), folders.ConfDir(parsed), parsed.GetRequiredValue(state), logs.CreateLogger("uninstall"));
            if (!parsed.GetValue(stay))
            {
                uninstaller.Run(parsed.GetValue(force));
                return 0;
            }

            using var signals = new Shutdown();
            await uninstaller.StayAsync(mode.Health(parsed), signals.Requested).ConfigureAwait(false);
            return 0;
        });
        return command;
    }
}
