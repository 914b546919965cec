using System.Globalization;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Svcwatcher;

/// <summary>
/// A cluster of Pods with an interface each, in headless Services that choose them by a label and a network; besides one Service of a
/// thousand Pods, which are rolled out anew. Objects have about the size of real ones.
/// </summary>
internal sealed class ServiceCluster(ApiStore store, int services, int interfaces)
{
    /// <summary>How many Pods the Service that is rolled out has.</summary>
    public const int Rolling = 1000;

    public const string RollingService = "rolling", RollingNamespace = "space-0";

    private const int Namespaces = 10, PodsPerNode = 50;

    /// <summary>All Services.</summary>
    public int Services => services + 1;

    /// <summary>All interfaces that lead somewhere.</summary>
    public int Interfaces => interfaces + Rolling;

    /// <summary>
    /// The slices that there shall be: one of each family for each Service, the one of IPv6 empty, and as many as a hundred addresses each
    /// make necessary.
    /// </summary>
    public int Slices => (services * (1 + (((interfaces / services) + 99) / 100))) + 1 + (Rolling / 100);

    public void Seed()
    {
        for (var i = 0; i < Namespaces; i++)
            store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = $"space-{i}" } });
        store.Load("v1", "Node", Enumerable.Range(0, 1 + (Interfaces / PodsPerNode)).Select(Node));
        for (var i = 0; i < services; i++)
            store.Create(Service(SpaceOf(i), $"svc-{i}"));
        store.Create(Service(RollingNamespace, RollingService));
        store.Load("v1", "Pod", Enumerable.Range(0, interfaces).Select(i => Pod(SpaceOf(i % services), $"svc-{i % services}", PodName(i), i))
            .Concat(Enumerable.Range(0, Rolling).Select(i => Pod(RollingNamespace, RollingService, $"old-{i}", interfaces + i))));
        store.Load(ApiNames.GroupVersion, ApiNames.DanmEp, store.List("v1", "Pod").Select((p, i) => Interface(p, Address(i))));
    }

    /// <summary>Where the Pod of a number is.</summary>
    public string PodPath(int number) => $"/api/v1/namespaces/{SpaceOf(number % services)}/pods/{PodName(number)}/status";

    /// <summary>What makes a Pod ready or not, as a merge patch of a kubelet.</summary>
    public static string StatusPatch(bool ready) => new JsonObject { ["status"] = Status(ready) }.ToJsonString();

    /// <summary>A Pod of the roll-out comes, with its interface.</summary>
    public void Come(int number)
    {
        var pod = store.Create(Pod(RollingNamespace, RollingService, $"new-{number}", interfaces + number));
        store.Create(Interface(pod, Address(Interfaces + number)));
        pod["status"] = Status(ready: true);
        store.Update(pod);
    }

    /// <summary>A Pod that was there before goes, and its interface with it.</summary>
    public void Go(int number)
    {
        store.Delete("v1", "Pod", RollingNamespace, $"old-{number}");
        store.Delete(ApiNames.GroupVersion, ApiNames.DanmEp, RollingNamespace, $"if-old-{number}");
    }

    private static string SpaceOf(int service) => $"space-{service % Namespaces}";

    private static string PodName(int number) => $"workload-{number}";

    private static string Address(int number) => $"10.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}";

    private static JsonObject Node(int number)
    {
        var node = Objects.Node($"node-{number}");
        node["metadata"]!["labels"] = new JsonObject { ["topology.kubernetes.io/zone"] = $"zone-{number % 3}", ["kubernetes.io/hostname"] = $"node-{number}" };
        return node;
    }

    private static JsonObject Service(string ns, string name) => new()
    {
        ["apiVersion"] = "v1", ["kind"] = "Service",
        ["metadata"] = new JsonObject
        {
            ["name"] = name, ["namespace"] = ns,
            ["annotations"] = new JsonObject { [ApiNames.SelectorAnnotation] = $$"""{"app":"{{name}}","tier":"back"}""", [ApiNames.ClusterNetworkAnnotation] = "internal" },
        },
        ["spec"] = new JsonObject { ["clusterIP"] = "None", ["ports"] = new JsonArray(new JsonObject { ["name"] = "sql", ["port"] = 5432 }) },
    };

    private static JsonObject Pod(string ns, string app, string name, int number)
    {
        var pod = Objects.Pod(
            name, """[{"clusterNetwork":"internal","ip":"dynamic"}]""", ns, labels: new JsonObject { ["app"] = app, ["tier"] = "back", ["pod-template-hash"] = "5d8f7c9b6" });
        pod["spec"]!["nodeName"] = $"node-{number / PodsPerNode}";
        pod["spec"]!["containers"]![0]!["args"] = new JsonArray(new string('y', 3000));
        pod["status"] = Status(ready: true);
        return pod;
    }

    private static JsonObject Status(bool ready) => new()
    {
        ["phase"] = "Running",
        ["conditions"] = new JsonArray(
            [.. ((string[])["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]).Select(type => (JsonNode)new JsonObject
            {
                ["type"] = type, ["status"] = ready || type != "Ready" ? "True" : "False",
                ["lastTransitionTime"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            })]),
    };

    private static JsonObject Interface(JsonObject pod, string address)
    {
        var (name, ns, uid, node) = (pod.At("metadata", "name").String()!, pod.At("metadata", "namespace").String()!, pod.At("metadata", "uid").String()!, pod.At("spec", "nodeName").String()!);
        var labels = (JsonObject)pod.At("metadata", "labels")!.DeepClone();
        (labels[ApiNames.NodeLabel], labels[ApiNames.PodUidLabel]) = (LabelValue.For(node), uid);
        return new()
        {
            ["apiVersion"] = ApiNames.GroupVersion, ["kind"] = ApiNames.DanmEp, ["metadata"] = new JsonObject { ["name"] = $"if-{name}", ["namespace"] = ns, ["labels"] = labels },
            ["spec"] = new JsonObject
            {
                ["NetworkName"] = "internal", ["NetworkType"] = "ipvlan", ["EndpointID"] = $"if-{name}", ["Interface"] = new JsonObject { ["Name"] = "eth0", ["Address"] = $"{address}/8" },
                ["Host"] = node, ["nodeName"] = node, ["Pod"] = name, ["PodUID"] = uid, ["CID"] = new string('c', 64), ["netns"] = $"/run/netns/cni-{uid}", ["apiType"] = "ClusterNetwork",
            },
        };
    }
}
