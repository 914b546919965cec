using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Networks.Admission;
using Danm.Tenants;

namespace Danm.Webhook;

/// <summary>What a TenantNetwork gets of the TenantConfig.</summary>
/// <param name="Faults">Why it gets nothing.</param>
/// <param name="Warnings">What its author should know.</param>
/// <param name="Choices">What it may get, the first choice first; empty: what it has is as it is to be.</param>
internal sealed record TenantAssigned(IReadOnlyList<NetworkFault> Faults, IReadOnlyList<string> Warnings, IReadOnlyList<TenantGrant> Choices)
{
    public static readonly TenantAssigned Nothing = new([], [], []);
}

/// <summary>Gives TenantNetworks NetworkID, device and VLAN or VxLAN id by the TenantConfig that is first by name.</summary>
/// <param name="api">The API server.</param>
/// <param name="view">What is known of the cluster.</param>
/// <param name="reserver">Gives out the ids.</param>
internal sealed class TenantAssignment(ApiClient api, NetworkView view, VniReserver reserver)
{
    /// <summary>Says what it may get; nothing is set or reserved yet, but for the NetworkID of one that had none.</summary>
    /// <param name="network">The network.</param>
    /// <param name="old">As it was; null when it is being created.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">The TenantConfigs cannot be read.</exception>
    public async Task<TenantAssigned> AssignAsync(Network network, Network? old, CancellationToken cancellation)
    {
        if (old is not null)
            return await RenameAsync(network, old, cancellation).ConfigureAwait(false);
        return Grant(network, await ConfigsAsync(cancellation).ConfigureAwait(false));
    }

    /// <summary>The choices that break no rule, as a device with ids does where the NetworkID is too long for a VLAN's name.</summary>
    /// <param name="network">The network, left with the first of them.</param>
    /// <param name="sent">As it was sent.</param>
    /// <param name="choices">At least one.</param>
    /// <param name="verdict">That of the first that fits, or else of the first.</param>
    public static List<TenantGrant> Fit(Network network, Network sent, IReadOnlyList<TenantGrant> choices, out Verdict verdict)
    {
        var judged = choices.Select(choice =>
        {
            // The rules must know that there will be an id before there is one.
            Give(network, sent, choice, choice.Vnis?.Ranges.All.First());
            return (Choice: choice, Verdict: NetworkAdmission.CheckMutated(network, null));
        }).ToList();
        var fitting = judged.FindAll(j => j.Verdict.Faults.Count == 0);
        var first = fitting.Count > 0 ? fitting[0] : judged[0];
        Give(network, sent, first.Choice, first.Choice.Vnis?.Ranges.All.First());
        verdict = first.Verdict;
        return fitting.ConvertAll(j => j.Choice);
    }

    /// <summary>Gives the network the first choice that can be had, with its id reserved.</summary>
    /// <param name="network">The network, changed in place.</param>
    /// <param name="sent">As it was sent.</param>
    /// <param name="choices">At least one.</param>
    /// <param name="dryRun">Whether nothing is reserved.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="VniException">None can be had.</exception>
    /// <exception cref="ApiException">Refused, or no answer.</exception>
    /// <exception cref="TenantNetworkExistsException">The network is there already.</exception>
    public async Task TakeAsync(Network network, Network sent, IReadOnlyList<TenantGrant> choices, bool dryRun, CancellationToken cancellation)
    {
        if (choices[0].Vnis is not null)
            await ReadyAsync(network, cancellation).ConfigureAwait(false);
        var (busy, refusals) = ((TenantGrant?)null, new List<VniException>());
        foreach (var choice in choices)
        {
            try
            {
                var id = choice.Vnis is { } vnis ? await reserver.TryReserveAsync(RequestOf(network, vnis), dryRun, cancellation).ConfigureAwait(false) : null;
                if (id is not null || choice.Vnis is null)
                {
                    Give(network, sent, choice, id);
                    return;
                }

                busy ??= choice;
            }
            catch (VniException e)
            {
                refusals.Add(e);
            }
        }

        if (busy is null)
            throw refusals.Count == 1 ? refusals[0] : new VniException(string.Join("; ", refusals.Select(r => r.Message)), refusals.Exists(r => r.IsTemporary));
        Give(network, sent, busy, await reserver.ReserveAsync(RequestOf(network, busy.Vnis!), dryRun, cancellation).ConfigureAwait(false));
    }

    /// <summary>
    /// What a TenantNetwork was given stays its own where an update leaves it out, and where the TenantConfig names it: the manifest that it was
    /// created by says less, or something else, and is applied again as it is.
    /// </summary>
    /// <param name="network">What is sent, changed in place.</param>
    /// <param name="old">What is stored.</param>
    public void Keep(Network network, Network old)
    {
        var (options, before) = (network.Spec.Options, old.Spec.Options);
        if (string.IsNullOrEmpty(options.HostDevice) && string.IsNullOrEmpty(options.DevicePool))
            (options.HostDevice, options.DevicePool) = (before.HostDevice, before.DevicePool);
        if (options.Vlan is null or 0 && options.Vxlan is null or 0)
            (options.Vlan, options.Vxlan) = (before.Vlan, before.Vxlan);
        if (!string.IsNullOrEmpty(old.Spec.NetworkId) && (string.IsNullOrEmpty(network.Spec.NetworkId) || KnownIdOf(network) is not null))
            network.Spec.NetworkId = old.Spec.NetworkId;
    }

    // By the copy: whether what is stored stays is no grant.
    private string? KnownIdOf(Network network) =>
        view.Configs.MinBy(c => c.Metadata.Name, StringComparer.Ordinal) is { } config ? TenantProfiles.NetworkIdOf(config, network.Spec.NetworkType, []) : null;

    // One that had none may be given one. A tenant must not come to another file of the node by a second thought.
    private async Task<TenantAssigned> RenameAsync(Network network, Network old, CancellationToken cancellation)
    {
        if (!string.IsNullOrEmpty(old.Spec.NetworkId))
            return TenantAssigned.Nothing;
        var faults = new List<NetworkFault>();
        network.Spec.NetworkId = IdOf(await ConfigsAsync(cancellation).ConfigureAwait(false), network, faults) ?? network.Spec.NetworkId;
        return new(faults, [], []);
    }

    /// <summary>
    /// As the server has them now: a copy may be behind, and what an administrator has just taken away must not be given any more. Whoever
    /// makes a TenantConfig and a network at once must not be told of a copy, either.
    /// </summary>
    private Task<ReadableList<TenantConfig>> ConfigsAsync(CancellationToken cancellation) =>
        ReadableList<TenantConfig>.ReadAllAsync(api, ResourcePath.Danm(ApiNames.TenantConfigs, null), TenantJson.Default.TenantConfig, cancellation);

    private static string? IdOf(ReadableList<TenantConfig> configs, Network network, List<NetworkFault> faults) =>
        First(configs, faults) is { } config ? TenantProfiles.NetworkIdOf(config, network.Spec.NetworkType, faults) : null;

    private static TenantAssigned Grant(Network network, ReadableList<TenantConfig> configs)
    {
        var faults = new List<NetworkFault>();
        if (First(configs, faults) is not { } config)
        {
            if (faults.Count == 0)
                faults.Add(new("spec", null, "cannot be used yet: there is no TenantConfig that says what tenants may have; an administrator must create one"));
            return new(faults, [], []);
        }

        var choices = TenantProfiles.Choose(config, network, Random.Shared, faults);
        if (faults.Count > 0)
            return new(faults, [], []);
        var count = configs.Items.Count + configs.Unreadable.Count;
        return new([], count == 1 ? [] : [$"there are {count} TenantConfigs, and only the first by name counts: {config.Metadata.Name}"], choices);
    }

    private static void Give(Network network, Network sent, TenantGrant grant, int? id)
    {
        network.Spec.NetworkId = grant.NetworkId ?? network.Spec.NetworkId;
        var options = network.Spec.Options;
        options.HostDevice = grant.HostDevice ?? options.HostDevice;
        options.DevicePool = grant.DevicePool ?? options.DevicePool;
        // Another choice may have given it the other one.
        (options.Vlan, options.Vxlan) = (sent.Spec.Options.Vlan, sent.Spec.Options.Vxlan);
        if (grant.Vnis?.Encapsulation == Encapsulation.Vlan)
            options.Vlan = id;
        else if (grant.Vnis is not null)
            options.Vxlan = id;
    }

    private static VniRequest RequestOf(Network network, TenantVnis vnis) =>
        new(vnis, network.Metadata.Namespace ?? "", string.IsNullOrEmpty(network.Metadata.Name) ? null : network.Metadata.Name);

    private async Task ReadyAsync(Network network, CancellationToken cancellation)
    {
        // Which ids administrators' networks have is known a moment after the start.
        while (view.Unknown.Any())
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        if (!string.IsNullOrEmpty(network.Metadata.Name)
            && await api.TryGetMetadataAsync(ResourcePath.Of(network.Ref), ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false) is not null)
            throw new TenantNetworkExistsException(network.Ref);
    }

    /// <summary>The one that counts; null if there is none, and if it cannot be read: the next one may give what that one does not.</summary>
    private static TenantConfig? First(ReadableList<TenantConfig> configs, List<NetworkFault> faults)
    {
        var first = configs.Items.MinBy(c => c.Metadata.Name, StringComparer.Ordinal);
        if (configs.Unreadable.MinBy(u => u.Metadata.Name, StringComparer.Ordinal) is not { } unreadable
            || (first is not null && string.CompareOrdinal(first.Metadata.Name, unreadable.Metadata.Name) < 0))
            return first;
        faults.Add(new("spec", null, $"cannot be used: TenantConfig/{unreadable.Metadata.Name}, which says what tenants may have, cannot be read: {unreadable.Fault}; an administrator must mend it"));
        return null;
    }
}

/// <summary>A TenantNetwork is being created that is there already. Nothing was reserved for it.</summary>
internal sealed class TenantNetworkExistsException(NetworkRef network) : Exception($"{ApiNames.TenantNetworks}.{ApiNames.Group} \"{network.Name}\" already exists");
