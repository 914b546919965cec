using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;
using Danm.State;

namespace Danm.FakeIpam;

/// <summary>CHECK: the addresses that ADD gave are still reserved for the interface, and are those that the runtime knows.</summary>
internal sealed class AddressCheck(RuntimeCall call)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(15);

    private readonly CniRequest request = call.Request;

    /// <exception cref="CniException">Code 110: what is not as ADD left it; code 3: ADD never was.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (request.Config.PrevResult is not { } json)
            throw new CniException(CniErrorCode.InvalidNetworkConfig, "the network configuration: prevResult is missing, and CHECK compares with it", "prevResult");
        var known = CniResultReader.Read(json, "prevResult").Ips.Select(i => i.Address.ToString()).ToHashSet();
        var record = await FindAsync(cancellation).ConfigureAwait(false);
        using var api = call.Connect();
        var difference = record.Attachments.SelectMany(a => a.Addresses).FirstOrDefault(a => !known.Contains(a)) is { } missing
            ? $"prevResult has no address {missing}"
            : await DifferenceAsync(api, record, cancellation).ConfigureAwait(false);
        if (difference is not null)
            throw new CniException(CniErrorCode.CheckFailed, $"interface \"{request.IfName}\" of container {request.ContainerId} is not as ADD left it: {difference}; remove the container to have it attached anew");
    }

    /// <summary>What of a record's addresses is not reserved for it any more; null if all are.</summary>
    /// <exception cref="ApiException">The API server refused or did not answer.</exception>
    public static async Task<string?> DifferenceAsync(ApiClient api, SandboxRecord record, CancellationToken cancellation)
    {
        var differences = await Task.WhenAll(record.Claims.Where(c => c.Uid is not null).Select(async claim =>
        {
            var found = await api.TryGetAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, claim.Name), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
            return found switch
            {
                null => $"IPAllocation {claim.Name} is missing",
                { Spec.Owner: { } owner } when record.Owns(claim, owner) => null,
                _ => $"IPAllocation {claim.Name} is another's",
            };
        })).ConfigureAwait(false);
        return Array.Find(differences, d => d is not null);
    }

    private async Task<SandboxRecord> FindAsync(CancellationToken cancellation)
    {
        var key = AddressHolder.Of(request).JournalKey;
        var journals = await call.State.Addresses.FindAsync((_, k) => k == key, LockWait, cancellation).ConfigureAwait(false);
        var record = journals.Find(j => j.Last is { Phase: SandboxPhase.Attached })?.Last;
        journals.ForEach(j => j.Dispose());
        return record ?? throw new CniException(CniErrorCode.UnknownContainer, $"fakeipam has given no address to interface \"{request.IfName}\" of container {request.ContainerId} on this node: remove the container to have it attached anew");
    }
}
