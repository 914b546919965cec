using System.CommandLine;

namespace Danm.Cli;

/// <summary>The host's folders as the installer's container sees them.</summary>
internal sealed class HostFolders
{
    private readonly Option<string> bin = new("--cni-bin-dir") { Description = "The runtime's folder of CNI plugins, as seen here.", DefaultValueFactory = _ => "/host/cni", HelpName = "FOLDER" };
    private readonly Option<string> conf = new("--cni-conf-dir") { Description = "The runtime's folder of CNI configurations, as seen here.", DefaultValueFactory = _ => "/host/net.d", HelpName = "FOLDER" };

    public void AddTo(Command command)
    {
        command.Options.Add(bin);
        command.Options.Add(conf);
    }

    public string BinDir(ParseResult parsed) => parsed.GetRequiredValue(bin);

    public string ConfDir(ParseResult parsed) => parsed.GetRequiredValue(conf);
}
