using System.Diagnostics;
using System.Net;
using Danm.Tests.Kernel;

namespace Danm.Tests.Demo;

/// <summary>
/// The host's own kernel, in a network and a mount namespace of the demo's: its interfaces, its /run and its /var/lib are not the
/// host's. Both namespaces live as long as a process that waits for the end of its standard input, and so never outlive the demo.
/// </summary>
internal sealed class HostNode : DemoNode
{
    private const string SetUp = """
        set -e
        mount -t tmpfs tmpfs /run
        mount -t tmpfs tmpfs /var/lib
        ip link set lo up
        need() { what=$1; shift; "$@" 2>/dev/null || { echo "$what"; exit 1; }; }
        need 'dummy interfaces' ip link add probe0 type dummy
        need VLANs ip link add link probe0 probe1 type vlan id 1
        need ipvlan ip link add link probe0 probe2 type ipvlan mode l2
        ip link delete probe0
        echo ready
        exec cat
        """;

    private readonly Process holder;
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("danm-demo-");

    private HostNode(Process holder) => this.holder = holder;

    public override string SharedDirectory => directory.FullName;

    public override IPAddress ServerAddress => IPAddress.Loopback;

    protected override string NamespacePath => $"/proc/{holder.Id}/ns/net";

    /// <summary>The node, or what this machine's kernel lacks.</summary>
    public static async Task<(HostNode? Node, string Lack)> TryStartAsync()
    {
        var release = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim();
        var holder = Start("unshare", "--net", "--mount", "--propagation", "private", "bash", "-c", SetUp);
        var errors = holder.StandardError.ReadToEndAsync();
        var answer = await holder.StandardOutput.ReadLineAsync();
        if (answer == "ready")
            return (new HostNode(holder) { Kernel = $"Linux {release}", Why = "This machine's own kernel, in namespaces of the demo's own." }, "");

        await holder.WaitForExitAsync();
        holder.Dispose();
        var kernel = $"This machine's own kernel, {release},";
        return (null, answer is not null ? $"{kernel} has no {answer}." : $"{kernel} cannot be used: {(await errors).Trim()}");
    }

    public override async Task<GuestResult> RunAsync(string script, TimeSpan timeout)
    {
        using var process = Start("nsenter", "--target", $"{holder.Id}", "--net", "--mount", "bash", "-c", script);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new DemoException($"not done within {timeout.TotalSeconds:0} s: {script.Trim()}");
        }

        return new GuestResult(process.ExitCode, await output, await error);
    }

    public override async ValueTask DisposeAsync()
    {
        holder.StandardInput.Close();
        await holder.WaitForExitAsync();
        holder.Dispose();
        directory.Delete(recursive: true);
    }

    private static Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/sbin:/bin";
        return Process.Start(start)!;
    }
}
