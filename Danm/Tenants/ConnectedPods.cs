using System.Globalization;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>Whether Pods are attached to a network or stand on an id, by the DanmEps and IPAllocations that the API server has at this moment.</summary>
/// <param name="api">The API server.</param>
internal sealed class ConnectedPods(ApiClient api)
{
    // The longest timeoutSeconds that a CNI configuration may have: so much later than it has read its network an ADD may write its DanmEp.
    private static readonly TimeSpan LongestAdd = TimeSpan.FromMinutes(10);

    /// <summary>One of the network's Pods, by its DanmEp, the original's too, for people to read; null if there is none.</summary>
    /// <param name="network">The network; one that no object can be has no Pods.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public Task<string?> FindAsync(NetworkRef network, CancellationToken cancellation) => FindAsync(network, static _ => true, cancellation);

    /// <summary>
    /// A Pod that stands on an id, for people to read; null if there is none. DanmEps and IPAllocations say their wire, so it does not matter
    /// what has become of their network. IPAllocations outlast the DanmEps of a namespace that is being deleted, until the node has taken its
    /// Pods off the wire. The original's DanmEps name their network only.
    /// </summary>
    /// <param name="vni">The id.</param>
    /// <param name="network">The network that had it; null: nobody knows.</param>
    /// <param name="renewed">metadata.creationTimestamp of a network that has that name now, and another id; null: there is none.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    public async Task<string?> FindOnAsync(Vni vni, NetworkRef? network, string? renewed, CancellationToken cancellation)
    {
        var query = $"limit=1&labelSelector={Uri.EscapeDataString($"{ApiNames.SegmentLabel}={vni.SegmentLabel}")}";
        foreach (var plural in (string[])[ApiNames.DanmEps, ApiNames.IPAllocations])
        {
            var found = await api.ListAsync(ResourcePath.Danm(plural, null), query, ApiJson.Default.ObjectListJsonElement, cancellation).ConfigureAwait(false);
            if (found.Items is [var first, ..])
                return WireUser.Read(first).ToString();
        }

        return network is null ? null : await FindAsync(network, user => !SaysWire(user.Metadata) && MayBeFrom(user.Metadata, renewed), cancellation).ConfigureAwait(false);
    }

    /// <summary>A value of a field selector, as fields.EscapeValue of k8s.io/apimachinery writes it.</summary>
    internal static string EscapeValue(string value) => value.Replace(@"\", @"\\").Replace(",", @"\,").Replace("=", @"\=");

    private async Task<string?> FindAsync(NetworkRef network, Predicate<WireUser> counts, CancellationToken cancellation)
    {
        if (!CanBe(network))
            return null;
        var pages = ObjectPages.ReadAsync(
            api, ResourcePath.Danm(ApiNames.DanmEps, network.Namespace), null, ApiJson.Default.ObjectListJsonElement, cancellation, fieldSelector: $"spec.NetworkName={EscapeValue(network.Name)}");
        await foreach (var page in pages.ConfigureAwait(false))
        {
            foreach (var user in page.Select(WireUser.Read))
            {
                if (user.MayBeOf(network.Kind) && counts(user))
                    return user.ToString();
            }
        }

        return null;
    }

    private static bool CanBe(NetworkRef network) => Names.IsSubdomain(network.Name) && (network.Namespace is null || Names.IsSubdomain(network.Namespace));

    private static bool SaysWire(ObjectMeta metadata) => metadata.Labels?.ContainsKey(ApiNames.SegmentLabel) == true;

    // An ADD that read the former network may write after the new one was made.
    internal static bool MayBeFrom(ObjectMeta metadata, string? renewed) =>
        !TryRead(renewed, out var made) || !TryRead(metadata.CreationTimestamp, out var written) || written - made <= LongestAdd;

    private static bool TryRead(string? timestamp, out DateTimeOffset time) =>
        DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
}
