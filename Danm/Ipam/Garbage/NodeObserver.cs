using System.Globalization;
using Danm.Api;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Ipam.Garbage;

/// <summary>
/// Looks at a node: its objects by label, its journals, the paths of its namespaces, and the Pods of what looks dead. All of it is of the
/// node's own size.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="state">What the node remembers.</param>
/// <param name="namespaces">Where namespaces are looked for.</param>
/// <param name="nodeName">The node's name in Kubernetes.</param>
/// <param name="clock">The time.</param>
internal sealed class NodeObserver(ApiClient api, NodeState state, HostNamespaces namespaces, string nodeName, TimeProvider clock)
{
    // Kubelet notes the UID of a static Pod, which it does not get from the API, in its mirror Pod's annotation.
    private const string MirrorAnnotation = "kubernetes.io/config.mirror";
    private const int PodsAtOnce = 8;

    private readonly Dictionary<(string, string), Pod?> pods = [];
    private readonly SemaphoreSlim gate = new(PodsAtOnce);

    /// <summary>
    /// The node as it is now. Objects first, then journals: ADD writes its journal before its first create, so an object whose sandbox has
    /// no journal after that is not of an ADD at work.
    /// </summary>
    /// <exception cref="ApiException">The lists were refused, or there was no answer.</exception>
    public async Task<NodeView> ObserveAsync(CancellationToken cancellation)
    {
        var selector = $"{ApiNames.NodeLabel}={LabelValue.For(nodeName)}";
        var endpoints = ObjectPages.ReadAllAsync(api, ResourcePath.Danm(ApiNames.DanmEps, null), selector, ApiJson.Default.ObjectListDanmEp, cancellation);
        var allocations = await ObjectPages.ReadAllAsync(
            api, ResourcePath.Danm(ApiNames.IPAllocations, null), selector, ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false);
        var listed = await endpoints.ConfigureAwait(false);
        var holders = AddressHolders(state.Addresses.Survey().ToList(), allocations);
        var sandboxes = Group(state.Survey().ToList(), listed, allocations).Concat(holders);
        var bootId = NodeState.BootId;
        return new NodeView(bootId, clock.GetUtcNow(), await Task.WhenAll(sandboxes.Select(s => SeePodAsync(s, bootId, cancellation))).ConfigureAwait(false));
    }

    /// <summary>metadata.uid of a sandbox's Pod; what the journal says where the Pod is gone.</summary>
    /// <exception cref="ApiException">No answer.</exception>
    public async Task<string> PodUidAsync(ObservedSandbox sandbox, CancellationToken cancellation) =>
        await ReadAsync(sandbox, cancellation).ConfigureAwait(false) is { } pod && IsPodOf(pod, sandbox) ? pod.Metadata.Uid! : sandbox.PodUid;

    /// <summary>The interfaces that have addresses through another plugin. What is theirs leaves the list.</summary>
    private List<ObservedSandbox> AddressHolders(List<JournalSight> journals, List<IPAllocation> allocations)
    {
        // With a DanmEp, it is the metaplugin's.
        var byContainer = allocations.Where(a => a.Spec.Owner is { DanmEp: null, ContainerId: not null }).ToLookup(a => a.Spec.Owner!.ContainerId!);
        var holders = new List<ObservedSandbox>();
        var taken = new HashSet<IPAllocation>();
        foreach (var journal in journals)
        {
            // Behind the container's id is the interface's, which has no underscore.
            var container = journal.Last?.ContainerId ?? journal.ContainerId[..Math.Max(0, journal.ContainerId.LastIndexOf('_'))];
            var interfaces = journal.Last?.Attachments.Select(a => a.Interface).ToHashSet() ?? [];
            var own = byContainer[container].Where(a => interfaces.Contains(a.Spec.Owner!.Interface ?? "")).ToList();
            taken.UnionWith(own);
            holders.Add(Make(journal.PodUid, container, journal, [], own) with { IsAddressHolder = true });
        }

        allocations.RemoveAll(taken.Contains);
        return holders;
    }

    private List<ObservedSandbox> Group(List<JournalSight> journals, List<DanmEp> endpoints, List<IPAllocation> allocations)
    {
        var endpointsOf = endpoints.GroupBy(e => e.Spec.ContainerId ?? "").ToDictionary(g => g.Key, g => g.ToList());
        var allocationsOf = allocations.GroupBy(a => a.Spec.Owner?.ContainerId ?? "").ToDictionary(g => g.Key, g => g.ToList());
        var sandboxes = new List<ObservedSandbox>();
        foreach (var journal in journals)
        {
            // A DanmEp has K8S_POD_INFRA_CONTAINER_ID for a container id, which of some runtimes is another one: its name tells.
            var ids = journal.Last?.Attachments.Select(a => a.EndpointId).ToHashSet() ?? [];
            var own = Take(endpointsOf, journal.ContainerId);
            foreach (var (key, others) in endpointsOf)
            {
                own.AddRange(others.Where(e => ids.Contains(e.Metadata.Name ?? "")));
                others.RemoveAll(e => ids.Contains(e.Metadata.Name ?? ""));
            }

            sandboxes.Add(Make(journal.PodUid, journal.ContainerId, journal, own, TakeOwn(allocationsOf, journal.ContainerId)));
        }

        foreach (var container in endpointsOf.Where(e => e.Value.Count > 0).Select(e => e.Key).Union(allocationsOf.Keys).ToList())
        {
            var own = Take(endpointsOf, container);
            var addresses = Take(allocationsOf, container);
            // Objects without a container id may be of any number of sandboxes.
            foreach (var uid in own.Select(e => e.Spec.PodUid ?? "").Union(addresses.Select(a => a.Spec.Owner?.PodUid ?? "")))
            {
                sandboxes.Add(Make(
                    uid, container, null, own.FindAll(e => (e.Spec.PodUid ?? "") == uid), addresses.FindAll(a => (a.Spec.Owner?.PodUid ?? "") == uid)));
            }
        }

        return sandboxes;
    }

    private static List<T> Take<T>(Dictionary<string, List<T>> groups, string key) => groups.Remove(key, out var group) ? group : [];

    // Those without a DanmEp are another plugin's, which has lost its journal.
    private static List<IPAllocation> TakeOwn(Dictionary<string, List<IPAllocation>> groups, string container)
    {
        var all = Take(groups, container);
        var others = all.FindAll(a => a.Spec.Owner?.DanmEp is null && !ImportedObject.Is(a.Metadata));
        if (others.Count > 0)
            groups[container] = others;
        return all.FindAll(a => !others.Contains(a));
    }

    private ObservedSandbox Make(string podUid, string containerId, JournalSight? journal, List<DanmEp> endpoints, List<IPAllocation> allocations)
    {
        var owner = allocations.Select(a => a.Spec.Owner).FirstOrDefault(o => o is not null);
        var sandbox = new ObservedSandbox
        {
            PodUid = podUid,
            ContainerId = containerId,
            PodNamespace = NotEmpty(journal?.Last?.PodNamespace) ?? NotEmpty(endpoints.FirstOrDefault()?.Metadata.Namespace) ?? NotEmpty(owner?.Namespace),
            PodName = NotEmpty(journal?.Last?.PodName) ?? NotEmpty(endpoints.FirstOrDefault()?.Spec.Pod) ?? NotEmpty(owner?.Pod),
            Journal = journal,
            Endpoints = endpoints,
            Allocations = allocations,
            // ADD writes down what it is about to create, and again when it has: objects tell nothing newer, and by another clock.
            LastSign = journal?.Written
                ?? endpoints.Select(e => e.Metadata).Concat(allocations.Select(a => a.Metadata)).Select(CreatedAt).Max(),
        };
        return sandbox with { Netns = sandbox.NetnsPath is { Length: > 0 } path ? namespaces.Look(path) : NamespaceSight.Unknown };
    }

    // What has no time that can be read is as young as can be.
    private DateTimeOffset CreatedAt(ObjectMeta metadata) =>
        DateTimeOffset.TryParse(metadata.CreationTimestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : clock.GetUtcNow();

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private async Task<ObservedSandbox> SeePodAsync(ObservedSandbox sandbox, string bootId, CancellationToken cancellation)
    {
        if (sandbox.PodNamespace is null || sandbox.PodName is null)
            return sandbox with { Pod = PodSight.None };
        if (!GarbageRules.NeedsPod(sandbox, bootId))
            return sandbox;
        try
        {
            var pod = await ReadAsync(sandbox, cancellation).ConfigureAwait(false);
            return sandbox with { Pod = pod is not null && IsPodOf(pod, sandbox) ? PodSight.Exists : PodSight.Gone };
        }
        catch (ApiException)
        {
            return sandbox;
        }
    }

    // Where nothing tells which Pod of that name it was, any will do.
    private static bool IsPodOf(Pod pod, ObservedSandbox sandbox) =>
        sandbox.PodUid is "" or "unknown"
        || pod.Metadata.Uid == sandbox.PodUid || pod.Metadata.Annotations?.GetValueOrDefault(MirrorAnnotation) == sandbox.PodUid;

    /// <summary>The Pod of a sandbox's name; null if there is none. Metadata only, and each Pod once a pass.</summary>
    private async Task<Pod?> ReadAsync(ObservedSandbox sandbox, CancellationToken cancellation)
    {
        // Names from objects of tenants become paths of requests.
        if (!Names.IsSubdomain(sandbox.PodNamespace) || !Names.IsSubdomain(sandbox.PodName))
            return null;
        var key = (sandbox.PodNamespace!, sandbox.PodName!);
        lock (pods)
        {
            if (pods.TryGetValue(key, out var known))
                return known;
        }

        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var pod = await api.TryGetMetadataAsync(
                ResourcePath.Core("pods", sandbox.PodNamespace, sandbox.PodName), ApiJson.Default.Pod, cancellation).ConfigureAwait(false);
            lock (pods)
                pods[key] = pod;
            return pod;
        }
        finally
        {
            gate.Release();
        }
    }
}
