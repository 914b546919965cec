using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd;

/// <summary>Tests on a node of their own on this machine's kernel.</summary>
public abstract class HostFixture
{
    private protected HostNode Node { get; private set; } = null!;

    private protected virtual ApiServerOptions? Options => null;

    private protected virtual bool OwnProcesses => false;

    [OneTimeSetUp]
    public async Task StartNode() => Node = await HostNode.StartAsync(Options, OwnProcesses);

    [OneTimeTearDown]
    public async Task StopNode()
    {
        if (Node is not null)
            await Node.DisposeAsync();
    }

    [TearDown]
    public Task Forget() => Node.ResetAsync();
}
