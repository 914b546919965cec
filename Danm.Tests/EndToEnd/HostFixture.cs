namespace Danm.Tests.EndToEnd;

/// <summary>Tests on a node of their own on this machine's kernel.</summary>
public abstract class HostFixture
{
    private protected HostNode Node { get; private set; } = null!;

    /// <summary>Whether the node has processes of its own, and <c>/proc/1/root</c> leads to it.</summary>
    private protected virtual bool HasOwnProcesses => false;

    [OneTimeSetUp]
    public async Task StartNode() => Node = await HostNode.StartAsync(ownProcesses: HasOwnProcesses);

    [OneTimeTearDown]
    public async Task StopNode()
    {
        if (Node is not null)
            await Node.DisposeAsync();
    }

    [TearDown]
    public Task Forget() => Node.ResetAsync();
}
