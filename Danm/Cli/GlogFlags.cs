using System.CommandLine;

namespace Danm.Cli;

/// <summary>
/// The flags of Go's glog, which the original's manifests use: taken and without effect, since everything goes to standard error. Its
/// <c>-v</c> is <see cref="ModeOptions"/>'.
/// </summary>
internal static class GlogFlags
{
    /// <summary>Their names, for <see cref="GoFlags"/>.</summary>
    public static readonly string[] Names = ["logtostderr", "alsologtostderr", "stderrthreshold", "vmodule", "log_dir", "log_backtrace_at"];

    public static void AddTo(Command command)
    {
        foreach (var name in Names)
        {
            command.Options.Add(name.EndsWith("logtostderr", StringComparison.Ordinal)
                ? new Option<bool>($"--{name}") { Hidden = true }
                : new Option<string?>($"--{name}") { Hidden = true });
        }
    }
}
