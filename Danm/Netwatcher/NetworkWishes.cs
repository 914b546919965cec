using Danm.Api;
using Danm.HostLinks;
using Danm.Kube;
using Danm.Kube.Watching;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>What all networks of the cluster want of this host, and which of its interfaces Pods stand on.</summary>
internal sealed class NetworkWishes
{
    private readonly Informer<Network>[] networks;
    private readonly Informer<NetworkAttachmentDefinition> definitions;
    private readonly Informer<DanmEp> endpoints;
    private readonly Informer<PartialObject> pods;
    private readonly Informer<PartialObject> node;
    private readonly ApiClient api;
    private readonly string nodeName;

    // By a Pod's uid: what its NetworkAttachmentDefinitions meant at any time since it was first seen. They may say something else by now.
    private readonly Dictionary<string, HashSet<string>> attached = [];

    // Read once each; whoever looks is one at a time.
    private Dictionary<ObjectKey, AttachmentDefinition> read = [];

    /// <param name="api">The API server.</param>
    /// <param name="nodeName">This node.</param>
    /// <param name="changed">Called whenever the answer may have changed.</param>
    /// <param name="failed">Told what could not be read.</param>
    public NetworkWishes(ApiClient api, string nodeName, Action changed, Action<string> failed)
    {
        (this.api, this.nodeName) = (api, nodeName);
        networks = [.. Enum.GetValues<NetworkKind>().Select(kind => Watch(new Informer<Network>(
            api, ResourcePath.Danm(kind.ToPlural(), null), ApiJson.Default.Network, new InformerOptions())))];
        definitions = Watch(new Informer<NetworkAttachmentDefinition>(
            api, ResourcePath.Of(NetworkAttachmentDefinition.GroupVersion, NetworkAttachmentDefinition.Plural, null), ApiJson.Default.NetworkAttachmentDefinition, new InformerOptions()));
        endpoints = Watch(new Informer<DanmEp>(
            api,
            ResourcePath.Danm(ApiNames.DanmEps, null),
            ApiJson.Default.DanmEp,
            new InformerOptions { Query = $"&labelSelector={Uri.EscapeDataString(NodeSelector)}" }));
        pods = Watch(new Informer<PartialObject>(
            api,
            ResourcePath.Core("pods", null),
            ApiJson.Default.PartialObject,
            new InformerOptions { Query = $"&fieldSelector={Uri.EscapeDataString($"spec.nodeName={nodeName}")}", MetadataOnly = true }));
        node = Watch(new Informer<PartialObject>(
            api,
            ResourcePath.Core("nodes", null),
            ApiJson.Default.PartialObject,
            new InformerOptions { Query = $"&fieldSelector={Uri.EscapeDataString($"metadata.name={nodeName}")}", MetadataOnly = true }));

        Informer<T> Watch<T>(Informer<T> informer)
            where T : class, IApiObject
        {
            informer.Changed += _ => changed();
            informer.Failed += failed;
            return informer;
        }
    }

    /// <summary>The kinds that are not known whole yet; a kind that the cluster does not have is.</summary>
    public IEnumerable<string> Unknown
    {
        get
        {
            foreach (var (kind, informer) in Enum.GetValues<NetworkKind>().Zip(networks))
            {
                if (informer.State == InformerState.Unknown)
                    yield return kind.ToPlural();
            }

            if (definitions.State == InformerState.Unknown)
                yield return NetworkAttachmentDefinition.Plural;
            if (endpoints.State != InformerState.Listed)
                yield return ApiNames.DanmEps;
            if (pods.State != InformerState.Listed)
                yield return "pods";
            // Under a wrong name nothing of this host would seem to be in use.
            if (node.State != InformerState.Listed || node.Items.Count == 0)
                yield return $"node {nodeName}";
        }
    }

    /// <summary>Whether nothing that exists is missing here.</summary>
    public bool IsComplete => !Unknown.Any();

    private string NodeSelector => $"{ApiNames.NodeLabel}={LabelValue.For(nodeName)}";

    /// <summary>The Pods of this node, their metadata.</summary>
    public Informer<PartialObject> Pods => pods;

    /// <summary>The DanmEps of this node.</summary>
    public Informer<DanmEp> Endpoints => endpoints;

    /// <summary>Keeps the answers up to date until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll([
        .. networks.Select(n => n.RunAsync(cancellation)), definitions.RunAsync(cancellation), endpoints.RunAsync(cancellation),
        pods.RunAsync(cancellation), node.RunAsync(cancellation)]);

    /// <summary>The wishes, the networks whose wish cannot be understood, and the NetworkAttachmentDefinitions that must say something else.</summary>
    public (List<WantedLink> Wishes, List<LinkProblem> Problems, List<AttachmentDefinition> Rewrites) Read()
    {
        var wishes = new List<WantedLink>();
        var problems = new List<LinkProblem>();
        foreach (var (kind, informer) in Enum.GetValues<NetworkKind>().Zip(networks))
        {
            foreach (var network in informer.Items)
            {
                if (string.IsNullOrEmpty(network.Spec.Options.HostDevice))
                    continue;
                var name = new NetworkRef(kind, network.Metadata.Namespace, network.Metadata.Name ?? "").ToString();
                var faults = NetworkRules.Check(network);
                try
                {
                    if (faults.Count > 0)
                        throw new NetworkFaultException(faults);
                    var mtu = network.Spec.Options.Mtu is > 0 and var m ? m : null as int?;
                    wishes.Add(new WantedLink(name, ParentLink.Of(network), mtu, network.Metadata.CreationTimestamp ?? ""));
                }
                catch (NetworkFaultException e)
                {
                    problems.Add(new(name, e.Message));
                }
            }
        }

        var rewrites = new List<AttachmentDefinition>();
        foreach (var definition in Definitions().Values)
        {
            wishes.AddRange(definition.Wishes);
            if (definition.Problem is { } problem)
                problems.Add(new(definition.Name, problem));
            if (definition.Rewrite is not null)
                rewrites.Add(definition);
        }

        if (rewrites.Count > 0)
        {
            var byName = wishes.ToLookup(w => w.Parent.Name);
            rewrites.RemoveAll(d => !d.MayBeLed(byName));
        }

        return (wishes, problems, rewrites);
    }

    /// <summary>A network; null if there is none.</summary>
    public Network? FindNetwork(NetworkRef network) => networks[(int)network.Kind].Find(new ObjectKey(network.Namespace, network.Name));

    /// <summary>The object of a network's name, as wishes and problems have it; null if there is none.</summary>
    public ObjectReference? Find(string network)
    {
        var parts = network.Split('/');
        var key = new ObjectKey(parts.Length > 2 ? parts[1] : null, parts[^1]);
        if (parts[0] == NetworkAttachmentDefinition.KindName)
            return Reference(NetworkAttachmentDefinition.GroupVersion, definitions.Find(key)?.Metadata);
        return NetworkKinds.TryParse(parts[0], out var kind) ? Reference(ApiNames.GroupVersion, networks[(int)kind].Find(key)?.Metadata) : null;

        ObjectReference? Reference(string groupVersion, ObjectMeta? metadata) => metadata is null
            ? null
            : new ObjectReference { ApiVersion = groupVersion, Kind = parts[0], Namespace = metadata.Namespace, Name = metadata.Name, Uid = metadata.Uid };
    }

    /// <summary>Names of the interfaces that Pods of this node stand on, or may do for all that can be told.</summary>
    public HashSet<string> InUse()
    {
        var names = endpoints.Items.Select(InterfaceOf).OfType<string>().ToHashSet();
        // Other metaplugins' Pods have no DanmEp: what they ask for tells.
        var current = pods.Items;
        var known = Definitions();
        foreach (var gone in attached.Keys.Except(current.Select(p => p.Metadata.Uid ?? "")).ToList())
            attached.Remove(gone);
        foreach (var pod in current)
        {
            var wanted = AttachmentNames.Of(pod.Metadata);
            if (wanted.Count == 0)
                continue;
            if (!attached.TryGetValue(pod.Metadata.Uid ?? "", out var links))
                attached[pod.Metadata.Uid ?? ""] = links = [];
            foreach (var key in wanted)
            {
                if (known.TryGetValue(key, out var definition))
                    links.UnionWith(definition.Wishes.Select(w => w.Parent.Name));
            }

            names.UnionWith(links);
        }

        names.UnionWith(known.Values.SelectMany(d => d.Held));
        return names;
    }

    /// <summary>
    /// The same, as the API server has it at this moment, for what cannot be taken back: the copies here may be behind each other. With the
    /// DanmEps that the original made, which name only the host, and not the interface: its Pods may stand on any that was there before us.
    /// </summary>
    /// <param name="adopted">Names of the interfaces that were there before us.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ApiException">No answer, or a refusal.</exception>
    public async Task<HashSet<string>> ReadInUseAsync(IEnumerable<string> adopted, CancellationToken cancellation)
    {
        var names = InUse();
        var path = ResourcePath.Danm(ApiNames.DanmEps, null);
        foreach (var endpoint in await ObjectPages.ReadAllAsync(api, path, NodeSelector, ApiJson.Default.ObjectListDanmEp, cancellation).ConfigureAwait(false))
            names.UnionWith(InterfaceOf(endpoint) is { } name ? [name] : []);
        foreach (var host in (string[])[nodeName, .. nodeName == Environment.MachineName ? (string[])[] : [Environment.MachineName]])
        {
            var foreign = await ObjectPages.ReadAllAsync(
                api, path, $"!{ApiNames.NodeLabel}", ApiJson.Default.ObjectListDanmEp, cancellation, $"spec.Host={host}").ConfigureAwait(false);
            names.UnionWith(foreign.Select(InterfaceOf).OfType<string>());
            names.UnionWith(foreign.Count > 0 ? adopted : []);
        }

        return names;
    }

    private string? InterfaceOf(DanmEp endpoint) => endpoint.Metadata.Annotations?.GetValueOrDefault(ApiNames.HostInterfaceAnnotation) ?? ParentOf(endpoint);

    private Dictionary<ObjectKey, AttachmentDefinition> Definitions()
    {
        var before = read;
        read = definitions.Items.ToDictionary(
            ObjectKey.Of,
            d => before.TryGetValue(ObjectKey.Of(d), out var known) && ReferenceEquals(known.Object, d) ? known : AttachmentDefinition.Read(d));
        return read;
    }

    // DanmEps that an older build or the original made do not say it: the network does.
    private string? ParentOf(DanmEp endpoint)
    {
        if (!NetworkKinds.TryParse(endpoint.Spec.ApiType, out var kind))
            return null;
        var key = new ObjectKey(kind.IsNamespaced() ? endpoint.Metadata.Namespace : null, endpoint.Spec.NetworkName);
        try
        {
            return networks[(int)kind].Find(key) is { } network && !string.IsNullOrEmpty(network.Spec.Options.HostDevice) ? ParentLink.Of(network).Name : null;
        }
        catch (NetworkFaultException)
        {
            return null;
        }
    }
}
