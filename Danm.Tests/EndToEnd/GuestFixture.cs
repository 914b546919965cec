namespace Danm.Tests.EndToEnd;

/// <summary>Tests on a node of their own; each must leave nothing on it.</summary>
public abstract class GuestFixture
{
    private protected GuestNode Node { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartNode() => Node = await GuestNode.StartAsync();

    [OneTimeTearDown]
    public async Task StopNode()
    {
        if (Node is not null)
            await Node.DisposeAsync();
    }

    [TearDown]
    public async Task NothingIsLeft()
    {
        try
        {
            if (TestContext.CurrentContext.Result.FailCount == 0)
                await Node.ExpectNothingLeftAsync();
        }
        finally
        {
            await Node.ResetAsync();
        }
    }

    /// <summary>Stores a network of the tests' own host device, unless <paramref name="options"/> has another one.</summary>
    private protected void Network(string kind, string name, string options, string ns = "default", string? more = null) =>
        Node.Server.Store.Create(Objects.Network(kind, name, $$$"""
            {"NetworkID":"{{{name}}}",{{{more}}}"Options":{{{(options.Contains("host_device") ? options : """{"host_device":"parent0",""" + options[1..])}}}}
            """, ns));

    private protected Task<Sandbox> PodAsync(string name, string? interfaces, string ns = "default") =>
        Node.StartPodAsync(Objects.Pod(name, interfaces, ns));

    /// <summary>ADD that must succeed.</summary>
    private protected async Task<Sandbox> AddAsync(string name, string? interfaces, string ns = "default")
    {
        var pod = await PodAsync(name, interfaces, ns);
        (await pod.AddAsync()).Succeeded();
        return pod;
    }

    /// <summary>A call for a Pod that nobody knows: all it can do is what earlier calls could not.</summary>
    private protected async Task NextCallAsync() => (await Node.CallAsync(new CniCall("DEL")
    {
        ContainerId = "unknown",
        Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=unknown",
        Config = Node.Config(),
    })).Succeeded();

    private protected Task<string> HostAsync(string command) => Node.Guest.ExpectAsync(command);
}
