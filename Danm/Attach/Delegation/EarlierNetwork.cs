using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>The node's network before Danm, whose Pods end through Danm.</summary>
internal sealed class EarlierNetwork(NodeCall call)
{
    private readonly CniRequest request = call.Request;

    /// <summary>Ends what it attached to the container that DEL is called for.</summary>
    /// <param name="wait">How long another call may take that is at it.</param>
    /// <param name="cancellation">Ends the plugins.</param>
    /// <returns>False if it attached nothing.</returns>
    /// <exception cref="CniException">Code 111: a plugin failed. Code 11: it cannot be looked at now.</exception>
    public async Task<bool> EndAsync(TimeSpan wait, CancellationToken cancellation)
    {
        using var earlier = await FindAsync(wait, cancellation).ConfigureAwait(false);
        if (earlier is null)
            return false;
        try
        {
            var netns = request.Netns is { Length: > 0 } path && !NodeState.IsGone(path) ? path : null;
            await call.Chain.DelAsync(earlier.Made, new PluginCall("DEL", request.ContainerId, request.IfName, netns), request.Patience(), cancellation).ConfigureAwait(false);
            call.Log.Info("ended what another network had attached before danm", ("network", earlier.Network));
            Forget(earlier);
        }
        catch (PluginException e) when (e.IsMissing)
        {
            // It went with its network: waiting for it would keep the Pod for good. The file stays, by which a later DEL may have it.
            call.Log.Warning(
                "what another network had attached before danm is not given back: its plugin is gone", ("network", earlier.Network), ("file", earlier.Path), ("cause", e.Message));
        }
        catch (Exception e) when (e is PluginException or CniException)
        {
            throw new CniException(
                CniErrorCode.DelegateFailed,
                $"what network {CniText.Quote(earlier.Network)} attached before danm cannot be ended: {e.Message}; the next DEL tries again, and to give it up, delete {earlier.Path}",
                (e as PluginException)?.Details,
                e);
        }

        return true;
    }

    private async Task<EarlierAttachment?> FindAsync(TimeSpan wait, CancellationToken cancellation)
    {
        try
        {
            var folder = Path.Combine(Path.GetDirectoryName(call.State.Folder)!, EarlierAttachment.FolderName);
            return await EarlierAttachment.FindAsync(folder, request.ContainerId, request.IfName, wait, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CniException(CniErrorCode.TryAgainLater, $"cannot look now what another network had attached to container {request.ContainerId} before danm: {e.Message}", inner: e);
        }
        catch (CniException e) when (e.Code != CniErrorCode.TryAgainLater)
        {
            // It will not get better by another call, and of nothing else it is known which plugins there were.
            call.Log.Warning("what the runtime remembers of this container cannot be used: nothing but danm's own is released", ("cause", e.Message));
            return null;
        }
    }

    // Nothing is left of it but the file, which does no harm.
    private void Forget(EarlierAttachment earlier)
    {
        try
        {
            earlier.Forget();
        }
        catch (IOException e)
        {
            call.Log.Warning("a file of the runtime about a container that has ended cannot be removed", ("file", earlier.Path), ("cause", e.Message));
        }
    }
}
