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

    // Read once each; whoever looks is one at a time.
    private Dictionary<ObjectKey, AttachmentDefinition> read = [];

    /// <param name="api">The API server.</param>
    /// <param name="nodeName">This node.</param>
    /// <param name="changed">Called whenever the answer may have changed.</param>
    /// <param name="failed">Told what could not be read.</param>
    public NetworkWishes(ApiClient api, string nodeName, Action changed, Action<string> failed)
    {
        networks = [.. Enum.GetValues<NetworkKind>().Select(kind => Watch(new Informer<Network>(
            api, ResourcePath.Danm(kind.ToPlural(), null), ApiJson.Default.Network, new InformerOptions())))];
        definitions = Watch(new Informer<NetworkAttachmentDefinition>(
            api, ResourcePath.Of(NetworkAttachmentDefinition.GroupVersion, NetworkAttachmentDefinition.Plural, null), ApiJson.Default.NetworkAttachmentDefinition, new InformerOptions()));
        endpoints = Watch(new Informer<DanmEp>(
            api,
            ResourcePath.Danm(ApiNames.DanmEps, null),
            ApiJson.Default.DanmEp,
            new InformerOptions { Query = $"&labelSelector={Uri.EscapeDataString($"{ApiNames.NodeLabel}={LabelValue.For(nodeName)}")}" }));

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
        }
    }

    /// <summary>Whether nothing that exists is missing here.</summary>
    public bool IsComplete => !Unknown.Any();

    /// <summary>The DanmEps of this node.</summary>
    public Informer<DanmEp> Endpoints => endpoints;

    /// <summary>Keeps the answers up to date until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.WhenAll([
        .. networks.Select(n => n.RunAsync(cancellation)), definitions.RunAsync(cancellation), endpoints.RunAsync(cancellation)]);

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
        foreach (var definition in Definitions())
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
        var names = new HashSet<string>();
        foreach (var endpoint in endpoints.Items)
        {
            if (endpoint.Metadata.Annotations?.GetValueOrDefault(ApiNames.HostInterfaceAnnotation) is { } name)
                names.Add(name);
            else if (ParentOf(endpoint) is { } parent)
                names.Add(parent);
        }

        names.UnionWith(Definitions().SelectMany(d => d.Held));
        return names;
    }

    private IReadOnlyCollection<AttachmentDefinition> Definitions()
    {
        var before = read;
        read = definitions.Items.ToDictionary(
            ObjectKey.Of,
            d => before.TryGetValue(ObjectKey.Of(d), out var known) && ReferenceEquals(known.Object, d) ? known : AttachmentDefinition.Read(d));
        return read.Values;
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
