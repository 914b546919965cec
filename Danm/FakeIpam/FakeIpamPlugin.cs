using Danm.Cni;

namespace Danm.FakeIpam;

/// <summary>
/// The IPAM plugin that hands the addresses in its configuration (<c>ipam.ips</c>) to the plugin that called it: Danm has chosen
/// and reserved them before. It keeps nothing, so there is nothing to release.
/// </summary>
public sealed class FakeIpamPlugin : ICniPlugin
{
    /// <summary>The name under which plugins call it.</summary>
    public const string Name = "fakeipam";

    /// <inheritdoc/>
    public Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var addresses = FakeIpamConf.Read(request.Config.Raw);
        if (addresses.Count == 0)
            throw new CniException(CniErrorCode.InvalidNetworkConfig, "the network configuration: ipam.ips has no addresses: fakeipam gives only those that danm puts there", "ipam.ips");
        return Task.FromResult(new CniResult { Ips = [.. addresses.Select(a => new CniIp(a))] });
    }

    /// <inheritdoc/>
    public Task Del(CniRequest request, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task Check(CniRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
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
    public Task Gc(CniRequest request, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task Status(CniRequest request, CancellationToken cancellationToken) => Task.CompletedTask;
}
