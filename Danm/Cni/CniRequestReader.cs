using System.Text;

namespace Danm.Cni;

/// <summary>Turns the environment and standard input into a <see cref="CniRequest"/>.</summary>
internal static class CniRequestReader
{
    /// <summary>Reads CNI_COMMAND.</summary>
    /// <exception cref="CniException">Code 4: it is missing or no command of the specification.</exception>
    public static CniCommand ReadCommand(Func<string, string?> environment) => environment("CNI_COMMAND") switch
    {
        "ADD" => CniCommand.Add,
        "DEL" => CniCommand.Del,
        "CHECK" => CniCommand.Check,
        "GC" => CniCommand.Gc,
        "STATUS" => CniCommand.Status,
        "VERSION" => CniCommand.Version,
        null or "" => throw new CniException(CniErrorCode.InvalidEnvironment, "CNI_COMMAND is missing"),
        var other => throw new CniException(
            CniErrorCode.InvalidEnvironment,
            $"CNI_COMMAND {CniText.Quote(other)} is unknown",
            "known commands: ADD, DEL, CHECK, GC, STATUS, VERSION"),
    };

    /// <summary>Checks the variables that the command needs, and reads the configuration.</summary>
    /// <exception cref="CniException">Codes 1, 4, 6 and 7.</exception>
    public static CniRequest Read(CniCommand command, Func<string, string?> environment, ReadOnlyMemory<byte> stdin, bool isForeign = false)
    {
        RequireVariables(command, environment);
        var confDir = environment("CNI_CONF_DIR");
        var config = NetConfReader.Read(stdin, CniNames.IsAbsolutePath(confDir) ? confDir! : NetConf.DefaultCniDir, isForeign);
        RequireVersion(command, config.CniVersion);

        var request = new CniRequest { Command = command, Config = config, Path = SplitPath(environment("CNI_PATH")) };
        if (command is CniCommand.Gc or CniCommand.Status)
            return request;
        return request with
        {
            ContainerId = Checked("CNI_CONTAINERID", environment, CniNames.IsName, "is not a container id: a letter or digit, then letters, digits, '_', '.' and '-'"),
            IfName = Checked("CNI_IFNAME", environment, CniNames.IsInterfaceName, "is not an interface name: 1 to 15 bytes without '/', ':' and white space, not '.' or '..'"),
            Netns = string.IsNullOrEmpty(environment("CNI_NETNS")) ? null : Checked("CNI_NETNS", environment, CniNames.IsAbsolutePath, "is not an absolute path"),
            ArgsText = environment("CNI_ARGS"),
            Args = CniArgs.Parse(environment("CNI_ARGS"), lenient: command == CniCommand.Del),
        };
    }

    // The specification's lists of required parameters. CNI_PATH is required for GC only; without delegates nobody misses it.
    private static void RequireVariables(CniCommand command, Func<string, string?> environment)
    {
        ReadOnlySpan<string> required = command switch
        {
            CniCommand.Add or CniCommand.Check => ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"],
            CniCommand.Del => ["CNI_CONTAINERID", "CNI_IFNAME"],
            CniCommand.Gc => ["CNI_PATH"],
            _ => [],
        };
        StringBuilder? missing = null;
        foreach (var name in required)
        {
            if (!string.IsNullOrEmpty(environment(name)))
                continue;
            missing = missing is null ? new StringBuilder() : missing.Append(", ");
            missing.Append(name);
        }

        if (missing is not null)
            throw new CniException(CniErrorCode.InvalidEnvironment, $"required variables are missing: {missing}");
    }

    private static void RequireVersion(CniCommand command, SpecVersion version)
    {
        var (allowed, name, since) = command switch
        {
            CniCommand.Check => (version.HasCheck, "CHECK", SpecVersion.V0_4_0),
            CniCommand.Gc => (version.HasGcAndStatus, "GC", SpecVersion.V1_1_0),
            CniCommand.Status => (version.HasGcAndStatus, "STATUS", SpecVersion.V1_1_0),
            _ => (true, "", default),
        };
        if (!allowed)
            throw new CniException(CniErrorCode.IncompatibleVersion, $"the configuration's cniVersion {version} has no {name}, which came with {since}");
    }

    private delegate bool Grammar(ReadOnlySpan<char> text);

    private static string Checked(string name, Func<string, string?> environment, Grammar grammar, string complaint)
    {
        var value = environment(name);
        return grammar(value) ? value! : throw new CniException(CniErrorCode.InvalidEnvironment, $"{name} {CniText.Quote(value)} {complaint}");
    }

    private static string[] SplitPath(string? path) =>
        string.IsNullOrEmpty(path) ? [] : path.Split(':', StringSplitOptions.RemoveEmptyEntries);
}
