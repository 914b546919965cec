using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;

namespace Danm.FakeIpam;

/// <summary>
/// The IPAM plugin that gives the addresses in its configuration (<c>ipam.ips</c>), which Danm has chosen and reserved before, so that
/// there is nothing to keep or release; or addresses of a network (<c>ipam.network</c>), to any plugin that asks.
/// </summary>
public sealed class FakeIpamPlugin : ICniPlugin
{
    /// <summary>The name under which plugins call it.</summary>
    public const string Name = "fakeipam";

    /// <inheritdoc/>
    public async Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var addresses = FakeIpamConf.Read(request.Config.Raw);
        if (FakeIpamConf.ReadNetwork(request.Config.Raw) is not { } network)
            return Give(addresses);
        if (addresses.Count > 0)
            throw new CniException(CniErrorCode.InvalidNetworkConfig, "the network configuration: ipam has both ips and network: the runtime asks for certain addresses in runtimeConfig.ips", "ipam.ips");
        CniResult? result = null;
        await RunAsync(request, async call => result = await AddAsync(call, network, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        return result!;
    }

    /// <inheritdoc/>
    public Task Del(CniRequest request, CancellationToken cancellationToken) => OfNetworkAsync(request, async (call, network) =>
    {
        using var api = call.TryConnect();
        await new AddressDel(call, api).ReleaseAsync(network, cancellationToken).ConfigureAwait(false);
        if (api is not null)
            await DeferredReleases.RunAsync(call, api).ConfigureAwait(false);
    });

    /// <inheritdoc/>
    public Task Check(CniRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (FakeIpamConf.ReadNetwork(request.Config.Raw) is not null)
            return RunAsync(request, call => new AddressCheck(call).RunAsync(cancellationToken));
        if (request.Config.PrevResult is not { } json)
            throw new CniException(CniErrorCode.InvalidNetworkConfig, "the network configuration: prevResult is missing, and CHECK compares with it", "prevResult");
        var result = CniResultReader.Read(json, "prevResult");
        foreach (var address in FakeIpamConf.Read(request.Config.Raw))
        {
            if (!result.Ips.Any(i => i.Address == address))
                throw new CniException(CniErrorCode.CheckFailed, $"prevResult has no address {address}, which ipam.ips gives", "prevResult");
        }

        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task Gc(CniRequest request, CancellationToken cancellationToken) => OfNetworkAsync(request, async (call, _) =>
    {
        using var api = call.TryConnect();
        await new AddressDel(call, api).CollectAsync(cancellationToken).ConfigureAwait(false);
    });

    /// <inheritdoc/>
    public Task Status(CniRequest request, CancellationToken cancellationToken) =>
        OfNetworkAsync(request, (call, _) => call.CheckAccessAsync(cancellationToken));

    private static CniResult Give(IReadOnlyList<CidrAddress> addresses) => addresses.Count > 0
        ? new CniResult { Ips = [.. addresses.Select(a => new CniIp(a))] }
        : throw new CniException(
            CniErrorCode.InvalidNetworkConfig, "the network configuration: ipam.ips has no addresses: fakeipam gives those that danm puts there, or those of the network that ipam.network names", "ipam.ips");

    private static async Task<CniResult> AddAsync(RuntimeCall call, string network, CancellationToken cancellation)
    {
        var reference = NetworkName.Read(network, call.Request.Args.PodNamespace);
        var configuration = call.LoadKubeConfig();
        using var api = new ApiClient(configuration, call.Request.Patience());
        var nodeName = call.Request.Config.NodeName ?? await NodeName.FromTokenAsync(configuration, cancellation).ConfigureAwait(false);
        var deferred = DeferredReleases.RunAsync(call, api);
        try
        {
            return await new AddressAdd(call, api, static () => Listener.IsGone).RunAsync(reference, nodeName, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await deferred.ConfigureAwait(false);
        }
    }

    private static Task OfNetworkAsync(CniRequest request, Func<RuntimeCall, string, Task> command)
    {
        ArgumentNullException.ThrowIfNull(request);
        return FakeIpamConf.ReadNetwork(request.Config.Raw) is { } network ? RunAsync(request, call => command(call, network)) : Task.CompletedTask;
    }

    private static Task RunAsync(CniRequest request, Func<RuntimeCall, Task> command)
    {
        var call = new RuntimeCall(request, kubeconfigKey: "ipam.kubeconfig");
        return call.RunAsync(() => command(call));
    }
}
