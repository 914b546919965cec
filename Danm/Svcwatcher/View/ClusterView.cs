using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;

namespace Danm.Svcwatcher.View;

/// <summary>
/// Services, Pods, their interfaces and nodes' zones, as the API server has them, and which Service a change concerns. A replica that waits
/// has it too, so that it can work at once when it leads.
/// </summary>
internal sealed class ClusterView
{
    private const string ZoneLabel = "topology.kubernetes.io/zone";

    // What has ended has no address any more.
    private const string LivingPods = "&fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed";

    private readonly Lock gate = new();
    private readonly ServiceIndex index = new();
    private readonly Informer<Service> services;
    private readonly Informer<BackingPod> pods;
    private readonly Informer<PodInterfaceRecord> interfaces;
    private readonly Informer<PartialObject> nodes;
    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="api">The API server.</param>
    /// <param name="failed">Told what could not be read.</param>
    public ClusterView(ApiClient api, Action<string> failed)
    {
        services = new(api, ResourcePath.Core("services", null), ServiceJson.Default.Service, new InformerOptions());
        pods = new(api, ResourcePath.Core("pods", null), ServiceJson.Default.BackingPod, new InformerOptions { Query = LivingPods });
        interfaces = new(api, ResourcePath.Danm(ApiNames.DanmEps, null), ServiceJson.Default.PodInterfaceRecord, new InformerOptions());
        nodes = new(api, ResourcePath.Core("nodes", null), ApiJson.Default.PartialObject, new InformerOptions { MetadataOnly = true });
        services.Changed += HearService;
        pods.Changed += HearPod;
        interfaces.Changed += HearInterface;
        nodes.Changed += HearNode;
        services.Failed += failed;
        pods.Failed += failed;
        interfaces.Failed += failed;
        nodes.Failed += failed;
    }

    /// <summary>A Service may need other endpoints; with when what happened did, where that is known. Called from an informer's task.</summary>
    public event Action<ObjectKey, string?>? Touched;

    /// <summary>The labels of a DanmEp may not be its Pod's.</summary>
    public event Action<ObjectKey>? Relabelled;

    /// <summary>Ends when everything has been listed once.</summary>
    public Task Complete => complete.Task;

    /// <summary>The kinds that are not known whole yet.</summary>
    public IEnumerable<string> Unknown =>
    [
        .. services.State == InformerState.Unknown ? ["services"] : (string[])[],
        .. pods.State == InformerState.Unknown ? ["pods"] : (string[])[],
        .. interfaces.State == InformerState.Unknown ? [ApiNames.DanmEps] : (string[])[],
        .. nodes.State == InformerState.Unknown ? ["nodes"] : (string[])[],
    ];

    /// <summary>All Services that say anything to us.</summary>
    public List<ObjectKey> Services
    {
        get
        {
            lock (gate)
                return [.. index.Services];
        }
    }

    /// <summary>The interfaces whose labels are not their Pods'.</summary>
    public List<ObjectKey> Mislabelled => [.. interfaces.Items.Where(i => PodLabels.Difference(i, pods.Find(PodOf(i))) is not null).Select(ObjectKey.Of)];

    /// <summary>Keeps it up to date until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Together.RunAsync(stop, services.RunAsync(stop.Token), pods.RunAsync(stop.Token), interfaces.RunAsync(stop.Token), nodes.RunAsync(stop.Token)).ConfigureAwait(false);
    }

    /// <summary>A Service with what it has chosen; null if there is no such Service, or it says nothing to us.</summary>
    public ServiceSight? Look(ObjectKey key)
    {
        (Service Service, ServiceReading Reading, List<PodInterfaceRecord> Members)? found;
        lock (gate)
            found = index.Find(key);
        return found is { } f ? new(f.Service, f.Reading, f.Members.ConvertAll(Join)) : null;
    }

    /// <summary>Whether there is a Service of the name, whatever it says.</summary>
    public bool Exists(ObjectKey service) => services.Find(service) is not null;

    /// <summary>A DanmEp and its Pod; null where one of them is not there.</summary>
    public (PodInterfaceRecord Record, BackingPod Pod)? Pair(ObjectKey endpoint) =>
        interfaces.Find(endpoint) is { } record && pods.Find(PodOf(record)) is { } pod ? (record, pod) : null;

    private ServiceMember Join(PodInterfaceRecord record)
    {
        var pod = pods.Find(PodOf(record));
        if (pod?.Spec.NodeName is not { Length: > 0 } name)
            return new(record, pod, null);
        var node = nodes.Find(new(null, name));
        return new(record, pod, node?.Metadata.Labels?.GetValueOrDefault(ZoneLabel) is { Length: > 0 } zone ? zone : null, IsNodeGone: node is null);
    }

    private void HearService(ObjectChange<Service> change)
    {
        if ((change.After ?? change.Before) is not { } service)
        {
            CompleteOnce();
            return;
        }

        var key = ObjectKey.Of(service);
        bool concerns;
        lock (gate)
        {
            if (!complete.Task.IsCompleted)
                return;
            concerns = index.Knows(key);
            if (change.After is { } after && ServiceAnnotations.Has(after.Metadata.Annotations))
                index.Set(after);
            else
                index.Remove(key);
            concerns |= index.Knows(key);
        }

        if (concerns)
            Touched?.Invoke(key, change.Before is null ? service.Metadata.CreationTimestamp : null);
    }

    private void HearInterface(ObjectChange<PodInterfaceRecord> change)
    {
        if (change is { Before: null, After: null })
        {
            CompleteOnce();
            return;
        }

        HashSet<ObjectKey> touched;
        lock (gate)
        {
            if (!complete.Task.IsCompleted)
                return;
            touched = index.Change(change.Before, change.After);
        }

        foreach (var key in touched)
            Touched?.Invoke(key, null);
        if (change.After is { } after && PodLabels.Difference(after, pods.Find(PodOf(after))) is not null)
            Relabelled?.Invoke(ObjectKey.Of(after));
    }

    private void HearPod(ObjectChange<BackingPod> change)
    {
        if ((change.After ?? change.Before) is not { } pod)
        {
            CompleteOnce();
            return;
        }

        // A list may show another Pod of the same name and labels in the place of the one before, whose interfaces were not this one's.
        var mayRelabel = change.After is { } after && (change.Before?.Metadata.Uid != after.Metadata.Uid || !PodLabels.IsSame(change.Before, after));
        var mayMove = FactsOf(change.Before) != FactsOf(change.After);
        if (!mayRelabel && !mayMove)
            return;
        var touched = new HashSet<ObjectKey>();
        List<PodInterfaceRecord> own;
        lock (gate)
        {
            if (!complete.Task.IsCompleted)
                return;
            own = [.. index.InterfacesOf(ObjectKey.Of(pod))];
            foreach (var record in own)
            {
                if (mayMove)
                    touched.UnionWith(index.ServicesOf(record));
            }
        }

        var since = change.After?.Status.ReadyCondition;
        var trigger = since is not null && since.Status != change.Before?.Status.ReadyCondition?.Status ? since.LastTransitionTime : null;
        foreach (var key in touched)
            Touched?.Invoke(key, trigger);
        foreach (var record in own.Where(r => mayRelabel && PodLabels.Difference(r, change.After) is not null))
            Relabelled?.Invoke(ObjectKey.Of(record));
    }

    private void HearNode(ObjectChange<PartialObject> change)
    {
        if (change is { Before: null, After: null })
        {
            CompleteOnce();
            return;
        }

        if (Zone(change.Before) == Zone(change.After) && change is { Before: not null, After: not null })
            return;
        var name = (change.After ?? change.Before)!.Metadata.Name;
        var touched = new HashSet<ObjectKey>();
        // A node that comes has no Pods yet. Walking over all of them is less than an index of them costs with each of theirs.
        foreach (var pod in pods.Items.Where(p => p.Spec.NodeName == name))
        {
            lock (gate)
            {
                if (!complete.Task.IsCompleted)
                    return;
                foreach (var record in index.InterfacesOf(ObjectKey.Of(pod)))
                    touched.UnionWith(index.ServicesOf(record));
            }
        }

        foreach (var key in touched)
            Touched?.Invoke(key, null);

        static string? Zone(PartialObject? node) => node?.Metadata.Labels?.GetValueOrDefault(ZoneLabel);
    }

    private void CompleteOnce()
    {
        lock (gate)
        {
            if (complete.Task.IsCompleted || Unknown.Any())
                return;
            foreach (var service in services.Items.Where(s => ServiceAnnotations.Has(s.Metadata.Annotations)))
                index.Set(service);
            foreach (var record in interfaces.Items)
                index.Change(null, record);
            complete.SetResult();
        }
    }

    private static (string? Uid, bool IsGoing, bool HasEnded, string? Ready, string? Hostname, string? Node) FactsOf(BackingPod? pod) => pod is null
        ? default
        : (pod.Metadata.Uid, pod.Metadata.DeletionTimestamp is not null, InterfaceRules.HasEnded(pod), pod.Status.ReadyCondition?.Status, pod.Spec.Hostname, pod.Spec.NodeName);

    private static ObjectKey PodOf(PodInterfaceRecord record) => new(record.Metadata.Namespace, record.Spec.Pod);
}
