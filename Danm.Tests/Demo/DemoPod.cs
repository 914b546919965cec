using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Demo;

/// <summary>A Pod object, the network namespace of its sandbox, and the calls that a container runtime makes for it.</summary>
internal sealed record DemoPod(string Namespace, string Name, string Uid)
{
    public string NetnsName => $"cni-{Name}";

    /// <summary>The CNI result of its ADD.</summary>
    public JsonObject Result { get; private set; } = [];

    private string ContainerId { get; } = Convert.ToHexStringLower(Guid.NewGuid().ToByteArray());

    public static DemoPod Of(JsonObject pod)
    {
        var metadata = pod["metadata"]!;
        return new DemoPod((string)metadata["namespace"]!, (string)metadata["name"]!, (string)metadata["uid"]!);
    }

    /// <summary>An address that the Pod has on an interface; null if none of that family.</summary>
    public string? Address(string interfaceName, bool ipv6)
    {
        var names = Result["interfaces"]!.AsArray().Select(i => (string)i!["name"]!).ToList();
        return Result["ips"]!.AsArray()
            .Where(ip => names[(int)ip!["interface"]!] == interfaceName)
            .Select(ip => ((string)ip!["address"]!).Split('/')[0])
            .FirstOrDefault(a => a.Contains(':') == ipv6);
    }

    public async Task AddAsync(DemoNode node, JsonObject config) => Result = (await CallAsync("ADD", node, config)).Json;

    public Task CheckAsync(DemoNode node, JsonObject config)
    {
        var withResult = (JsonObject)config.DeepClone();
        withResult["prevResult"] = Result.DeepClone();
        return CallAsync("CHECK", node, withResult);
    }

    public Task DelAsync(DemoNode node, JsonObject config) => CallAsync("DEL", node, config);

    private async Task<CniOutcome> CallAsync(string command, DemoNode node, JsonObject config)
    {
        var call = new CniCall(command)
        {
            ContainerId = ContainerId,
            Netns = $"/run/netns/{NetnsName}",
            Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={Namespace};K8S_POD_NAME={Name};K8S_POD_INFRA_CONTAINER_ID={ContainerId};K8S_POD_UID={Uid}",
            Config = config,
        };
        var result = await node.RunAsync(call.ToShell(DanmBinary.Path), TimeSpan.FromMinutes(2));
        var outcome = new CniOutcome(result.ExitCode, result.Stdout, result.Stderr);
        return outcome.ExitCode == 0
            ? outcome
            : throw new DemoException($"CNI {command} for Pod {Namespace}/{Name} gave exit code {outcome.ExitCode}:\n{outcome.Stdout}{outcome.Stderr}");
    }
}
