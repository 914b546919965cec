using Danm.Api;
using Danm.Cni;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Cli.Ipam;

/// <summary>Releases what an operator named, if it is one address and nobody alive has it.</summary>
internal sealed class AddressRelease(ApiClient api, TextWriter output, TextWriter error)
{
    /// <returns>The exit code.</returns>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<int> RunAsync(IReadOnlyList<IPAllocation> matches, string asked, NetworkRef? network, bool dryRun, bool force, CancellationToken cancellation)
    {
        if (matches.Count == 0)
        {
            error.WriteLine($"error: no IPAllocation has {asked}{(network is null ? "" : $" of {network}")}: it is free, or of another network");
            return 1;
        }

        if (matches.Count > 1)
        {
            List(matches);
            error.WriteLine($"error: {matches.Count} IPAllocations have {asked}, none is released. Next: 'danm ipam release NAME' with one of the names above");
            return 1;
        }

        var one = matches[0];
        var owner = Owner(one);
        var pod = await OwnerPod.LookAsync(api, one, cancellation).ConfigureAwait(false);
        if (pod != PodSight.Gone && !force)
        {
            error.WriteLine(pod == PodSight.Exists
                ? $"error: {one.Metadata.Name} is in use by {owner}, which is alive. Next: delete that Pod, which frees the address; --force only if it does not use it"
                : $"error: {one.Metadata.Name} names no Pod that could be looked for ({owner}). Next: make sure that nothing uses the address, then --force");
            return 1;
        }

        if (dryRun)
        {
            output.WriteLine($"ipallocation.danm.io/{one.Metadata.Name} would be released (dry run): {owner}{(pod == PodSight.Gone ? ", which is gone" : "")}");
            return 0;
        }

        await DeleteEndpointAsync(one, cancellation).ConfigureAwait(false);
        var deleted = await api.DeleteAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, one.Metadata.Name), one.Metadata.Uid, cancellation).ConfigureAwait(false);
        output.WriteLine(deleted
            ? $"ipallocation.danm.io/{one.Metadata.Name} released: it was of {owner}{(pod == PodSight.Gone ? ", which is gone" : "")}"
            : $"ipallocation.danm.io/{one.Metadata.Name} was released by somebody else meanwhile");
        return 0;
    }

    // What points to the address goes first, else a Service would send to whoever gets it.
    private async Task DeleteEndpointAsync(IPAllocation one, CancellationToken cancellation)
    {
        if (one.Spec.Owner is not { } owner || !Names.IsSubdomain(owner.Namespace) || !Names.IsSubdomain(owner.DanmEp))
            return;
        var path = ResourcePath.Danm(ApiNames.DanmEps, owner.Namespace, owner.DanmEp);
        var ep = await api.TryGetAsync(path, ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false);
        if (ep is null || ep.Spec.PodUid != owner.PodUid)
            return;
        if (await api.DeleteAsync(path, ep.Metadata.Uid, cancellation).ConfigureAwait(false))
            output.WriteLine($"danmep.danm.io/{owner.DanmEp} of namespace {owner.Namespace} deleted: no Service sends to the address any more");
    }

    private void List(IReadOnlyList<IPAllocation> matches)
    {
        var table = new TextTable("NAME", "ADDRESS", "NETWORK", "POD", "NODE");
        foreach (var a in matches)
        {
            table.Add(
                Clean(a.Metadata.Name), Clean(a.Spec.Address), Clean(a.Spec.Network?.ToString()), a.Spec.Owner is { } o ? Clean($"{o.Namespace}/{o.Pod}") : "<none>", Clean(a.Spec.NodeName));
        }

        table.WriteTo(output);
    }

    private static string Owner(IPAllocation one) => one.Spec.Owner is { } o
        ? Clean($"Pod {o.Namespace}/{o.Pod} (uid {o.PodUid}, container {o.ContainerId}, interface {o.Interface}, node {one.Spec.NodeName ?? "unknown"})")
        : "an owner that it does not name";

    private static string Clean(string? text) => string.IsNullOrEmpty(text) ? "<none>" : CniText.Clean(text, 500);
}
