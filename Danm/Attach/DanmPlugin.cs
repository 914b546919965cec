using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;

namespace Danm.Attach;

/// <summary>The metaplugin behind a CNI call: each command, and the form in which its failure reaches runtime and log.</summary>
public sealed class DanmPlugin : ICniPlugin
{
    /// <inheritdoc/>
    public async Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken)
    {
        CniResult? result = null;
        await RunAsync(request, async call => result = await AddAsync(call, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        return result!;
    }

    /// <inheritdoc/>
    public Task Del(CniRequest request, CancellationToken cancellationToken) => RunAsync(request, async call =>
    {
        using var api = call.TryConnect();
        await new DelOperation(call, api).RunAsync(cancellationToken).ConfigureAwait(false);
        if (api is not null)
            await DeferredReleases.RunAsync(call, api).ConfigureAwait(false);
        call.Log.Info("DEL done");
    });

    /// <inheritdoc/>
    public Task Check(CniRequest request, CancellationToken cancellationToken) =>
        RunAsync(request, call => new CheckOperation(call).RunAsync(cancellationToken));

    /// <inheritdoc/>
    public Task Gc(CniRequest request, CancellationToken cancellationToken) =>
        RunAsync(request, call => new GcOperation(call).RunAsync(cancellationToken));

    /// <inheritdoc/>
    public Task Status(CniRequest request, CancellationToken cancellationToken) =>
        RunAsync(request, call => new StatusOperation(call).RunAsync(cancellationToken));

    private static async Task<CniResult> AddAsync(NodeCall call, CancellationToken cancellation)
    {
        var request = call.Request;
        if (request.Args is not { PodNamespace: { } ns, PodName: { } name })
            throw new CniException(CniErrorCode.InvalidEnvironment, "CNI_ARGS needs K8S_POD_NAMESPACE and K8S_POD_NAME: danm attaches Kubernetes Pods only", "CNI_ARGS");
        using var pod = NetworkNamespace.Open(request.Netns!);
        var configuration = call.LoadKubeConfig();
        using var api = new ApiClient(configuration, request.Patience());
        var nodeName = request.Config.NodeName ?? await NodeName.FromTokenAsync(configuration, cancellation).ConfigureAwait(false);
        var deferred = DeferredReleases.RunAsync(call, api);
        try
        {
            return await new AddCommand(call, api).RunAsync(ns, name, nodeName, pod, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await deferred.ConfigureAwait(false);
        }
    }

    private static Task RunAsync(CniRequest request, Func<NodeCall, Task> command)
    {
        var call = new NodeCall(request);
        return call.RunAsync(() => command(call));
    }
}
