using System.Text.Json.Nodes;
using Danm.Cni;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks;

/// <summary>
/// What the published executable costs a node, whole processes of it: VERSION, and the API side of an ADD.
/// </summary>
internal static class ProcessBenchmark
{
    private const double MaxBinarySize = 48;

    public static async Task<(string Markdown, bool MeetsAims)> RunAsync(int runs, int warmUps)
    {
        await using var node = await PrivateNode.StartAsync();
        AttachmentScenes.Create(node.Server.Store);
        Series[] all =
        [
            new("launcher and /bin/true", () => node.RunAsync(["/bin/true"])),
            new("VERSION", () => VersionAsync(node), CpuAim: 5, PeakAim: 12),
            new("STATUS", () => StatusAsync(node), CpuAim: 6),
            new("ADD, 1 network, API side", () => RefusedAddAsync(node, 1), CpuAim: 16, PeakAim: 22),
            new("ADD, 5 networks, API side", () => RefusedAddAsync(node, 5)),
            .. Delegated(node, 1, addAim: 20),
            .. Delegated(node, 5, addAim: 32),
        ];
        await Series.MeasureAsync(all, warmUps, runs, round => Console.Error.Write($"\r{(round < 0 ? "warming up" : $"round {round + 1} of {runs}")}   "));
        await Console.Error.WriteLineAsync();

        var size = new FileInfo(DanmBinary.Path).Length / 1e6;
        return (Report.Markdown(all, size, MaxBinarySize, warmUps, runs), all.All(s => s.MeetsAims) && size <= MaxBinarySize);
    }

    private static async Task<ProcessCost> VersionAsync(PrivateNode node)
    {
        var cost = await node.RunAsync([DanmBinary.Path], new Dictionary<string, string> { ["CNI_COMMAND"] = "VERSION" }, """{"cniVersion":"1.0.0"}""");
        return cost.ExitCode == 0 && cost.Stdout.Contains("supportedVersions", StringComparison.Ordinal)
            ? cost
            : throw new InvalidOperationException($"VERSION failed: {cost}");
    }

    private static async Task<ProcessCost> StatusAsync(PrivateNode node)
    {
        var cost = await node.CallAsync("STATUS", AttachmentScenes.Pod("macvlan", 1));
        return cost.ExitCode == 0 ? cost : throw new InvalidOperationException($"STATUS failed: {cost}");
    }

    /// <summary>ADD and DEL of interfaces that Debian's macvlan makes: our own process, and what the plugins cost besides.</summary>
    private static Series[] Delegated(PrivateNode node, int networks, double addAim)
    {
        var pod = AttachmentScenes.Pod("macvlan", networks);
        ProcessCost? add = null, del = null;
        var name = $"{networks} macvlan";
        return
        [
            new($"ADD, {name}, own", async () => OwnOf(add = await SucceedAsync("ADD")), CpuAim: addAim),
            new($"ADD, {name}, plugins", () => Task.FromResult(PluginsOf(add!))),
            new($"DEL, {name}, own", async () => OwnOf(del = await SucceedAsync("DEL"))),
            new($"DEL, {name}, plugins", () => Task.FromResult(PluginsOf(del!))),
        ];

        async Task<ProcessCost> SucceedAsync(string command)
        {
            var cost = await node.CallAsync(command, pod);
            return cost.ExitCode == 0 ? cost : throw new InvalidOperationException($"{command} failed: {cost}");
        }

        // The kernel adds what a process has waited for to its own.
        static ProcessCost OwnOf(ProcessCost cost) => cost with { Cpu = cost.Cpu - cost.PluginCpu };

        static ProcessCost PluginsOf(ProcessCost cost) => cost with { Cpu = cost.PluginCpu, PeakKilobytes = 0, Wall = TimeSpan.Zero };
    }

    /// <summary>
    /// The whole way of an ADD up to the interface, which this host's kernel refuses, and the deletes of the rollback.
    /// Where the kernel has ipvlan, the ADD succeeds, and its DEL is made outside the measurement.
    /// </summary>
    private static async Task<ProcessCost> RefusedAddAsync(PrivateNode node, int networks)
    {
        var pod = AttachmentScenes.Pod("ipvlan", networks);
        var cost = await node.CallAsync("ADD", pod);
        if (cost.ExitCode == 0)
            await node.CallAsync("DEL", pod);
        else if ((int?)JsonNode.Parse(cost.Stdout)!["code"] != CniErrorCode.KernelRefused)
            throw new InvalidOperationException($"ADD failed otherwise than by the kernel's refusal: {cost}");
        return node.Server.Store.Count("danm.io/v1", "IPAllocation") + node.Server.Store.Count("danm.io/v1", "DanmEp") == 0
            ? cost
            : throw new InvalidOperationException($"ADD left objects behind: {cost}");
    }
}
