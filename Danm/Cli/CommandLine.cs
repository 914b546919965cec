using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Danm.Cli.Ipam;
using Danm.Cli.Svc;
using Danm.Cni;

namespace Danm.Cli;

/// <summary>What an operator types: <c>danm COMMAND</c>, and <c>kubectl danm COMMAND</c>.</summary>
internal static class CommandLine
{
    private const string Usage = """
        danm is a CNI plugin for Kubernetes: a container runtime starts it with CNI_COMMAND in the environment.
        For people: danm --help, danm --version

        """;

    // Long-lived programs: the original's had names of their own, and links to this one still have them.
    private static readonly Dictionary<string, Func<Command>> Modes = new()
    {
        [NetwatcherCommand.Name] = NetwatcherCommand.Create,
        [SvcwatcherCommand.Name] = SvcwatcherCommand.Create,
        [WebhookCommand.Name] = WebhookCommand.Create,
        [ControllerCommand.Name] = ControllerCommand.Create,
        [InstallCommand.Name] = InstallCommand.Create,
        [UninstallCommand.Name] = UninstallCommand.Create,
    };

    /// <summary>Parses and runs.</summary>
    /// <param name="program">The name that the program was started under.</param>
    /// <param name="args">What comes after it.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <returns>0; 1 for an error; 2 for a wrong usage.</returns>
    public static int Run(string program, ReadOnlySpan<string> args, TextWriter output, TextWriter error)
    {
        var mode = Modes.GetValueOrDefault(program);
        if (args.IsEmpty && mode is null)
        {
            error.Write(Usage);
            return 2;
        }

        var parsed = (mode is null ? Root() : Mode(mode())).Parse(
            GoFlags.Normalise(args, ["version", "help", "kubeconf", "kubeconfig", "tls-cert-bundle", "tls-private-key-file", "bind-port", "bind-address", .. GlogFlags.Names]));
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var fault in parsed.Errors)
                error.WriteLine($"error: {fault.Message}");
            error.WriteLine("See 'danm --help'.");
            return 2;
        }

        try
        {
            // Long-lived modes see to signals themselves.
            var isMode = Modes.ContainsKey(parsed.CommandResult.Command.Name);
            return parsed.Invoke(new InvocationConfiguration
            {
                Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = isMode ? null : TimeSpan.FromSeconds(2),
            });
        }
        catch (BrokenPipeException)
        {
            return 0;
        }
        catch (Exception fault)
        {
            error.WriteLine($"error: {fault.Message}");
            return 1;
        }
    }

    private static RootCommand Root()
    {
        var root = new RootCommand("Network management for Kubernetes Pods with several interfaces. A container runtime uses this program as a CNI plugin; the commands below are for people.");
        foreach (var option in root.Options)
        {
            if (option is VersionOption version)
                version.Action = new PrintVersion();
            else if (option is HelpOption help)
                KeepUnixAliases(help);
        }

        root.Subcommands.Add(PlanCommand.Create());
        root.Subcommands.Add(IpamCommand.Create());
        root.Subcommands.Add(SvcCommand.Create());
        root.Subcommands.Add(DoctorCommand.Create());
        foreach (var create in Modes.Values)
            root.Subcommands.Add(WithVersion(create()));
        root.Subcommands.Add(Completion());
        return root;
    }

    /// <summary>Under its own name a mode is the whole program: a root of that name would have itself for a subcommand.</summary>
    private static Command Mode(Command mode)
    {
        var help = new HelpOption();
        KeepUnixAliases(help);
        mode.Options.Add(help);
        return WithVersion(mode);
    }

    private static Command WithVersion(Command mode)
    {
        mode.Options.Add(new VersionOption { Action = new PrintVersion() });
        return mode;
    }

    private static void KeepUnixAliases(HelpOption help)
    {
        help.Aliases.Clear();
        help.Aliases.Add("-h");
    }

    private static Command Completion()
    {
        var shell = new Argument<string>("shell") { Description = "The shell to write a script for." };
        shell.AcceptOnlyFromAmong(CompletionScript.Shells);
        var command = new Command("completion", "Write a script that completes this program's commands. Its first lines say how to load it, e.g. source <(danm completion bash).") { shell };
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(CompletionScript.For(parsed.GetRequiredValue(shell))));
        return command;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProgramVersion.Line);
            return 0;
        }
    }
}
