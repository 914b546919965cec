using System.CommandLine;

namespace Danm.Cli;

/// <summary>The host's folders; unless said otherwise as the installer's container sees them.</summary>
internal sealed class HostFolders(string defaultBin = "/host/cni", string defaultConf = "/host/net.d")
{
    private readonly Option<string> bin = new("--cni-bin-dir") { Description = "The runtime's folder of CNI plugins, as seen here.", DefaultValueFactory = _ => defaultBin, HelpName = "FOLDER" };
    private readonly Option<string> conf = new("--cni-conf-dir") { Description = "The runtime's folder of CNI configurations, as seen here.", DefaultValueFactory = _ => defaultConf, HelpName = "FOLDER" };

    public void AddTo(Command command)
    {
        command.Options.Add(bin);
        command.Options.Add(conf);
    }

    public string BinDir(ParseResult parsed) => parsed.GetRequiredValue(bin);

    public string ConfDir(ParseResult parsed) => parsed.GetRequiredValue(conf);
}
