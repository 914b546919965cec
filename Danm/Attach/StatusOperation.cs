using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Whether an ADD could be served, from local facts only: runtimes ask every few seconds, and a Node must not become NotReady because
/// the API server is slow (CNI specification 1.1.0, section "STATUS").
/// </summary>
internal sealed class StatusOperation(NodeCall call)
{
    // A delegate looks at this node too; whoever needs longer for that would hold the runtime up every few seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <exception cref="CniException">Code 50: what is missing, or 51: a delegate's containers may be cut off.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await call.CheckAccessAsync(cancellation).ConfigureAwait(false);
        CheckFolder();
        await CheckDelegatesAsync(cancellation).ConfigureAwait(false);
    }

    private void CheckFolder()
    {
        var folder = call.Request.Config.CniDir;
        if (!Directory.Exists(folder))
            throw new CniException(CniErrorCode.PluginNotAvailable, $"cniDir {CniText.Quote(folder)} is not there, or is not a folder: networks of other plugins have their files in it", "cniDir");
    }

    private async Task CheckDelegatesAsync(CancellationToken cancellation)
    {
        var delegates = new DelegatesInUse();
        // Only plugins of a version that has STATUS are asked, and such a record says so.
        foreach (var record in call.State.Peek("\"CniVersion\":\"1.1."u8.ToArray()))
        {
            if (record.ConfigName == call.Request.Config.Name && record.Phase == SandboxPhase.Attached)
                delegates.Add(record);
        }

        try
        {
            await Task.WhenAll(delegates.All.Select(d => AskAsync(d.Called, cancellation))).ConfigureAwait(false);
        }
        catch (PluginException e)
        {
            throw new CniException(e.Code is CniErrorCode.LimitedConnectivity ? CniErrorCode.LimitedConnectivity : CniErrorCode.PluginNotAvailable, e.Message, e.Details, e);
        }
    }

    private async Task AskAsync(DelegateRecord called, CancellationToken cancellation)
    {
        using var budget = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        budget.CancelAfter(Patience);
        try
        {
            await call.Chain.StatusAsync(called, budget.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new CniException(CniErrorCode.PluginNotAvailable, $"the plugins of {CniText.Quote(called.Name)} did not answer STATUS within {Patience.TotalSeconds} s", inner: e);
        }
    }
}
