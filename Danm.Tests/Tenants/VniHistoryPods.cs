using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Networks;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Tenants;

/// <summary>
/// The Pods of one history. Each stands on the id that its network had when its ADD read it, whatever becomes of the network, until its
/// IPAllocation is gone, which outlasts its DanmEp.
/// </summary>
internal sealed class VniHistoryPods(EmbeddedApiServer server)
{
    private readonly ConcurrentQueue<(VniHistoryPod Pod, DateTimeOffset At)> starting = [];
    private readonly ConcurrentDictionary<string, VniHistoryPod> standing = [];
    private readonly Lock ending = new();

    /// <summary>Those whose objects are there.</summary>
    public IReadOnlyCollection<VniHistoryPod> Standing => [.. standing.Values];

    /// <summary>An ADD has read its network.</summary>
    public void Read(NetworkRef network, Vni vni, DateTimeOffset now) => starting.Enqueue((new VniHistoryPod($"p-{Guid.NewGuid():n}", network, vni), now));

    /// <summary>The first ADD that has time left writes its objects; an odd one as another program would, so that it cannot be read.</summary>
    public VniHistoryPod? Write(DateTimeOffset now, TimeSpan timeOut, bool isOdd)
    {
        while (starting.TryDequeue(out var started))
        {
            var (pod, at) = started;
            if (now - at > timeOut)
                continue;
            Put(new JsonObject
            {
                ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation", ["metadata"] = Metadata(pod, null),
                ["spec"] = new JsonObject
                {
                    ["network"] = new JsonObject { ["kind"] = "TenantNetwork", ["namespace"] = pod.Network.Namespace, ["name"] = pod.Network.Name },
                    ["address"] = isOdd ? (JsonNode)5 : "10.0.0.5/24",
                    ["owner"] = new JsonObject { ["namespace"] = pod.Network.Namespace, ["pod"] = pod.Name },
                },
            }, isOdd);
            Put(new JsonObject
            {
                ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = Metadata(pod, pod.Network.Namespace),
                ["spec"] = new JsonObject { ["NetworkName"] = pod.Network.Name, ["EndpointID"] = pod.Name, ["Pod"] = pod.Name, ["apiType"] = "TenantNetwork", ["PodUID"] = isOdd ? (JsonNode)7 : "u" },
            }, isOdd);
            standing[pod.Name] = pod;
            return pod;
        }

        return null;
    }

    /// <summary>A Pod loses its DanmEp; one that has none any more, its address.</summary>
    public void End(int which)
    {
        lock (ending)
        {
            var all = standing.Values.OrderBy(p => p.Name, StringComparer.Ordinal).ToList();
            if (all.Count > 0)
                End(all[which % all.Count]);
        }
    }

    public void EndAll()
    {
        starting.Clear();
        lock (ending)
        {
            while (!standing.IsEmpty)
                End(standing.Values.First());
        }
    }

    private void End(VniHistoryPod pod)
    {
        if (server.Store.Get("danm.io/v1", "DanmEp", pod.Network.Namespace, pod.Name) is not null)
        {
            server.Store.Delete("danm.io/v1", "DanmEp", pod.Network.Namespace, pod.Name);
            return;
        }

        standing.TryRemove(pod.Name, out _);
        server.Store.Delete("danm.io/v1", "IPAllocation", null, pod.Name);
    }

    private void Put(JsonObject stored, bool isOdd)
    {
        if (isOdd)
            server.Store.Load("danm.io/v1", stored["kind"].String()!, [stored]);
        else
            server.Store.Create(stored);
    }

    private static JsonObject Metadata(VniHistoryPod pod, string? ns) => new()
    {
        ["name"] = pod.Name, ["namespace"] = ns, ["labels"] = new JsonObject { [ApiNames.SegmentLabel] = pod.Vni.SegmentLabel, [ApiNames.NetworkLabel] = pod.Network.ToLabelValue() },
    };
}

/// <summary>A Pod on an id.</summary>
internal sealed record VniHistoryPod(string Name, NetworkRef Network, Vni Vni);
