using System.CommandLine;
using Danm.Cni;

namespace Danm.Cli;

/// <summary>The host's folders: where the installer's container has them mounted, else where they are on a host.</summary>
internal sealed class HostFolders
{
    private readonly Option<string> bin = new("--cni-bin-dir") { Description = "The runtime's folder of CNI plugins, as seen here.", DefaultValueFactory = _ => Here("/host/cni", "/opt/cni/bin"), HelpName = "FOLDER" };
    private readonly Option<string> conf = new("--cni-conf-dir") { Description = "The runtime's folder of CNI configurations, as seen here.", DefaultValueFactory = _ => Here("/host/net.d", NetConf.DefaultCniDir), HelpName = "FOLDER" };

    public void AddTo(Command command)
    {
        command.Options.Add(bin);
        command.Options.Add(conf);
    }

    public string BinDir(ParseResult parsed) => parsed.GetRequiredValue(bin);

    public string ConfDir(ParseResult parsed) => parsed.GetRequiredValue(conf);

    private static string Here(string mounted, string own) => Directory.Exists(mounted) ? mounted : own;
}
