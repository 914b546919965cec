using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>One call of the CNI protocol (spec section 2): environment and configuration of the plugin.</summary>
public sealed record CniCall(string Command)
{
    public string ContainerId { get; init; } = "";

    public string? Netns { get; init; }

    public string? IfName { get; init; } = "eth0";

    public string Args { get; init; } = "";

    public JsonObject Config { get; init; } = [];

    /// <summary>Folders of plugins.</summary>
    public string Path { get; init; } = $"{DanmBinary.PluginFolder}:/usr/lib/cni";

    /// <summary>What the plugin gets on standard input instead of <see cref="Config"/>.</summary>
    public string? Stdin { get; init; }

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string?>
    {
        ["CNI_COMMAND"] = Command,
        ["CNI_CONTAINERID"] = ContainerId,
        ["CNI_NETNS"] = Netns,
        ["CNI_IFNAME"] = IfName,
        ["CNI_ARGS"] = Args,
        ["CNI_PATH"] = Path,
    }.Where(v => !string.IsNullOrEmpty(v.Value)).ToDictionary(v => v.Key, v => v.Value!);

    /// <summary>The call as a command of a shell, with its configuration as a here document; the values hold no single quote.</summary>
    public string ToShell(string binary) => $"{ToCommand(binary)} <<'CONFIG'\n{Config.ToJsonString()}\nCONFIG\n";

    /// <summary>The call as a command of a shell that gives it its configuration.</summary>
    public string ToCommand(string binary)
    {
        var text = new StringBuilder("env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin");
        foreach (var (name, value) in Environment)
            text.Append($" {name}='{value}'");
        return text.Append($" '{binary}'").ToString();
    }

    /// <summary>Runs the call on this host.</summary>
    /// <param name="command">The plugin, after the programs that start it, such as nsenter.</param>
    /// <param name="timeout">A minute unless given.</param>
    /// <param name="started">Gets the process, for instance to kill it.</param>
    public async Task<CniOutcome> RunAsync(IReadOnlyList<string> command, TimeSpan? timeout = null, Action<Process>? started = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        started?.Invoke(process);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(Stdin ?? Config.ToJsonString());
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has read enough, and ended.
        }

        try
        {
            await process.WaitForExitAsync().WaitAsync(timeout ?? TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw;
        }

        return new CniOutcome(process.ExitCode, await output, await error);
    }
}

/// <summary>What a call answered.</summary>
public sealed record CniOutcome(int ExitCode, string Stdout, string Stderr)
{
    /// <summary>The result or the error as JSON.</summary>
    public JsonObject Json => JsonNode.Parse(Stdout) as JsonObject ?? throw new InvalidOperationException($"no JSON object: {this}");

    public int? Code => (int?)Json["code"];

    public string? Msg => (string?)Json["msg"];

    /// <summary>Fails with all that the call said unless it succeeded.</summary>
    /// <param name="because">Why it must.</param>
    public CniOutcome Succeeded(string because = "the call must succeed")
    {
        ExitCode.Should().Be(0, "{0}: {1}", because, this);
        return this;
    }

    /// <summary>Fails unless the call gave an error of the specification's form.</summary>
    public CniOutcome Failed(int code)
    {
        ExitCode.Should().Be(1, "the call must fail: {0}", this);
        Code.Should().Be(code, "{0}", this);
        Msg.Should().NotBeNullOrWhiteSpace();
        return this;
    }
}
