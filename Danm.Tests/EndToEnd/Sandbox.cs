namespace Danm.Tests.EndToEnd;

/// <summary>One sandbox of a Pod on a node.</summary>
internal sealed class Sandbox
{
    private static int last;

    private readonly ICniNode node;
    private readonly string ns;

    public Sandbox(ICniNode node, string ns, string name, string uid)
    {
        (this.node, this.ns, Name, Uid) = (node, ns, name, uid);
        var number = Interlocked.Increment(ref last);
        ContainerId = $"{Convert.ToHexStringLower(Guid.NewGuid().ToByteArray())}{number:x8}";
        NetnsName = $"cni-{number}-{name}";
    }

    public string Name { get; }

    public string Uid { get; }

    public string ContainerId { get; }

    public string Netns => $"/run/netns/{NetnsName}";

    public string NetnsName { get; }

    /// <summary>A new sandbox of the same Pod, as after a reboot.</summary>
    public async Task<Sandbox> AgainAsync()
    {
        var again = new Sandbox(node, ns, Name, Uid);
        await node.ShellAsync($"ip netns add {again.NetnsName}");
        return again;
    }

    public CniCall Call(string command, string cniVersion = "1.0.0") => new(command)
    {
        ContainerId = ContainerId,
        Netns = Netns,
        Args = $"IgnoreUnknown=1;K8S_POD_NAMESPACE={ns};K8S_POD_NAME={Name};K8S_POD_INFRA_CONTAINER_ID={ContainerId};K8S_POD_UID={Uid}",
        Config = node.Config(cniVersion),
    };

    public Task<CniOutcome> AddAsync() => node.CallAsync(Call("ADD"));

    public Task<CniOutcome> DelAsync() => node.CallAsync(Call("DEL"));

    public Task<CniOutcome> CheckAsync() => node.CallAsync(Call("CHECK"));

    /// <summary>Runs a command inside the sandbox.</summary>
    public Task<string> RunAsync(string command) => node.ShellAsync($"ip netns exec {NetnsName} {command}");

    public Task DeleteNamespaceAsync() => node.ShellAsync($"ip netns delete {NetnsName}");
}
