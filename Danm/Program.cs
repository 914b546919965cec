using Danm.Attach;
using Danm.Cli;
using Danm.Cni;
using Danm.FakeIpam;

namespace Danm;

/// <summary>Decides by the name it was started under, then by the environment, which of its programs this is.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        var name = ProgramName.Of(Environment.GetCommandLineArgs());
        // kubectl hands its plugins its own environment, whatever is in it.
        if (name != ProgramName.KubectlPlugin && Environment.GetEnvironmentVariable("CNI_COMMAND") is not null)
        {
            return name == FakeIpamPlugin.Name || args is [FakeIpamPlugin.Name, ..]
                ? CniMain.Run(static () => new FakeIpamPlugin(), isForeign: true)
                : CniMain.Run(static () => new DanmPlugin());
        }

        return CommandLine.Run(name, args, Terminal.Output, Terminal.Error);
    }
}
