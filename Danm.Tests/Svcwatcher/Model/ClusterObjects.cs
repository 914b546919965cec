using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>The objects of a history, each of a few sorts.</summary>
internal static class ClusterObjects
{
    private static readonly string[] Addresses4 = ["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.0.4", "10.0.0.5/24", "10.0.0.6/24", "10.0.0.7/24", "10.0.0.8/24", "", "169.254.0.1/16", "none"];
    private static readonly string[] Addresses6 = ["", "fd00::1/64", "FD00:0::2/64", "fd00::3", "", "fe80::1/64", "fd00::4/64", "fd00::5/64", "fd00::6/64"];

    /// <summary>Where a history begins: Pods that two Services lead to.</summary>
    public static void Beginning(string ns, ApiStore store)
    {
        for (var i = 0; i < 3; i++)
        {
            var pod = store.Create(new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = $"p{i}", ["namespace"] = ns, ["labels"] = new JsonObject { ["app"] = "x", ["tier"] = "1" } },
                ["spec"] = new JsonObject { ["nodeName"] = "n1", ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i" }) },
            });
            pod["status"] = Status(i > 0 ? "True" : "False", "Running");
            store.Overwrite(pod);
            store.Create(Interface(pod, "ClusterNetwork", "n", 0, Facts.Uid(pod), new JsonObject { ["app"] = "x", ["tier"] = "1" }, new JsonObject { ["Name"] = "eth0", ["Address"] = $"10.0.0.{i + 1}/24", ["AddressIPv6"] = $"fd00::{i + 1}/64" }));
        }

        foreach (var (variant, name) in ((int, string)[])[(0, "s0"), (3, "s1")])
        {
            store.Create(new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Service",
                ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = new JsonObject { [ServiceVariant.Label] = $"{variant}" }, ["annotations"] = ServiceVariant.All[variant].ToJson() },
                ["spec"] = new JsonObject { ["clusterIP"] = "None", ["ports"] = new JsonArray(new JsonObject { ["name"] = "p0", ["port"] = 80 }) },
            });
        }
    }

    public static JsonObject Service(string ns, string name, Choices choices)
    {
        var (variant, kind) = (choices.Next(choices.Next(3) > 0 ? 4 : ServiceVariant.All.Length), choices.Next(2) > 0 ? 0 : choices.Next(8));
        var (ports, label) = (choices.Next(3), choices.Next(3));
        var annotations = ServiceVariant.All[variant].ToJson();
        var spec = new JsonObject { ["ports"] = new JsonArray([.. Enumerable.Range(0, kind == 3 ? ports + 1 : ports).Select(p => (JsonNode)new JsonObject { ["name"] = $"p{p}", ["port"] = 80 + p, ["targetPort"] = 9, ["protocol"] = p == 1 ? "UDP" : "TCP" })]) };
        if (kind is not (3 or 4))
            spec["clusterIP"] = "None";
        switch (kind)
        {
            case 1 or 2:
                (spec["ipFamilyPolicy"], spec["ipFamilies"]) = ("SingleStack", new JsonArray(kind == 1 ? "IPv4" : "IPv6"));
                break;
            case 4:
                (spec["type"], spec["externalName"]) = ("ExternalName", "example.org");
                break;
            case 5:
                spec["selector"] = new JsonObject { ["app"] = "x" };
                break;
            case 6:
                spec["publishNotReadyAddresses"] = true;
                break;
            case 7:
                annotations["service.alpha.kubernetes.io/tolerate-unready-endpoints"] = "true";
                break;
        }

        var labels = new JsonObject { [ServiceVariant.Label] = $"{variant}" };
        if (label > 0)
            labels["extra"] = $"{label}";
        return new()
        {
            ["apiVersion"] = "v1", ["kind"] = "Service", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = labels, ["annotations"] = annotations }, ["spec"] = spec,
        };
    }

    public static JsonObject Pod(string ns, string name, Choices choices)
    {
        var (labels, hostname, node) = (PodLabels(ref choices), choices.Next(2), choices.Next(4));
        var spec = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i" }) };
        if (hostname > 0)
            spec["hostname"] = name;
        if (node > 0)
            spec["nodeName"] = $"n{node}";
        return new() { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["labels"] = labels }, ["spec"] = spec };
    }

    public static JsonObject PodLabels(ref Choices choices)
    {
        var labels = new JsonObject { ["app"] = choices.Of("x", "x", "y") };
        if (choices.Next(2) > 0)
            labels["tier"] = "1";
        // Forged: it must neither be carried nor chosen by.
        if (choices.Next(3) > 1)
            labels["danm.io/network"] = "n";
        return labels;
    }

    public static JsonObject PodStatus(Choices choices) => Status(choices.Of("True", "True", "False", "False", "Unknown", ""), choices.Of("Running", "Running", "Running", "Running", "Running", "Running", "Running", "Pending", "Succeeded", "Failed"));

    public static JsonObject Status(string ready, string phase) => new()
    {
        ["phase"] = phase,
        ["conditions"] = new JsonArray(
            [new JsonObject { ["type"] = "Initialized", ["status"] = "True" }, .. ready.Length > 0 ? (JsonNode[])[new JsonObject { ["type"] = "Ready", ["status"] = ready, ["lastTransitionTime"] = "2026-01-02T03:04:05Z" }] : []]),
    };

    /// <summary>An interface as the CNI plugin writes it, or the original did: not always with the Pod's uid.</summary>
    public static JsonObject Interface(JsonObject pod, Choices choices)
    {
        var (kind, network, again) = (choices.Of("ClusterNetwork", "ClusterNetwork", "ClusterNetwork", "TenantNetwork", "DanmNet", ""), choices.Of("n", "n", "m"), choices.Next(2));
        var uid = choices.Of(Facts.Uid(pod), Facts.Uid(pod), Facts.Uid(pod), Facts.Uid(pod), Facts.Uid(pod), "", "00000000-0000-0000-0000-000000000000");
        var labels = (JsonObject)(pod.At("metadata", "labels")?.DeepClone() ?? new JsonObject());
        // The CNI plugin may have read the Pod before its labels changed.
        if (choices.Next(4) == 0)
            labels["app"] = "y";
        return Interface(pod, kind, network, again, uid, labels, Addresses(choices, "eth0"));
    }

    private static JsonObject Interface(JsonObject pod, string kind, string network, int again, string uid, JsonObject labels, JsonObject addresses)
    {
        labels["danm.io/network"] = network;
        var name = $"if-{Facts.Name(pod)}-{(kind.Length > 0 ? kind.ToLowerInvariant() : "none")}-{network}-{again}";
        return new()
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Facts.Space(pod), ["labels"] = labels },
            ["spec"] = new JsonObject
            {
                ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = name, ["Pod"] = Facts.Name(pod), ["PodUID"] = uid, ["apiType"] = kind, ["Interface"] = addresses,
            },
        };
    }

    public static JsonObject Addresses(Choices choices, string interfaceName) =>
        new() { ["Name"] = interfaceName, ["Address"] = choices.Of<string>(Addresses4), ["AddressIPv6"] = choices.Of<string>(Addresses6) };

    /// <summary>One of many Pods alike, and its interface.</summary>
    public static (JsonObject Pod, Func<JsonObject, JsonObject> Interface) OfCrowd(string ns, int number)
    {
        var pod = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = new JsonObject { ["name"] = $"c{number}", ["namespace"] = ns, ["labels"] = new JsonObject { ["app"] = "x" } },
            ["spec"] = new JsonObject { ["nodeName"] = "n1", ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i" }) },
        };
        return (pod, stored => new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = $"if-c{number}", ["namespace"] = ns, ["labels"] = new JsonObject { ["app"] = "x" } },
            ["spec"] = new JsonObject
            {
                ["NetworkName"] = "n", ["NetworkType"] = "ipvlan", ["EndpointID"] = $"if-c{number}", ["Pod"] = $"c{number}", ["PodUID"] = Facts.Uid(stored), ["apiType"] = "ClusterNetwork",
                ["Interface"] = new JsonObject { ["Name"] = "eth0", ["Address"] = $"10.1.0.{number + 1}/16" },
            },
        });
    }

    public static JsonObject Node(string name, string zone) => new()
    {
        ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = zone.Length > 0 ? new JsonObject { ["topology.kubernetes.io/zone"] = zone } : new JsonObject() },
    };
}
