using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks.Webhook;

/// <summary>What an API server asks in a busy hour: mostly networks that are made and changed, some wrong ones, tenants', a TenantConfig.</summary>
internal static class ReviewMix
{
    private const int Networks = 200;

    private static readonly (string Path, string Review, bool Allowed)[] Kinds =
    [
        Create("DanmNet", Spec(5), allowed: true),
        Create("ClusterNetwork", Spec(6), allowed: true),
        Create("DanmNet", """{"NetworkID":"much-too-long-for-a-vlan","Options":{"vlan":5,"cidr":"10.0.0.0/24","routes":{"10.1.0.0/16":"10.9.9.9"}}}""", allowed: false),
        Update("ClusterNetwork", Spec(7), Spec(7).Replace("10.50.0.0/24", "10.51.0.0/24")),
        Create("TenantNetwork", """{"NetworkID":"mine","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", allowed: true),
    ];

    /// <summary>The cluster's networks, which new ones are compared with, and what tenants may have.</summary>
    public static void Seed(ApiStore store)
    {
        store.Create(JsonNode.Parse("""{"apiVersion":"danm.io/v1","kind":"TenantConfig","metadata":{"name":"t"},"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"1000-1999"}]}""")!);
        for (var i = 0; i < Networks; i++)
        {
            store.Create(Objects.Network("ClusterNetwork", $"net-{i}", $$$"""{"NetworkID":"n{{{i}}}","Options":{"host_device":"ens{{{i % 4}}}","vlan":{{{100 + i}}},"cidr":"10.{{{i}}}.0.0/16"}}"""));
            store.Create(Objects.Network("TenantNetwork", $"net-{i}", $$$"""{"NetworkID":"t{{{i}}}","Options":{"host_device":"ens4","vlan":{{{1000 + i}}},"cidr":"10.{{{i}}}.0.0/16"}}"""));
        }
    }

    /// <summary>The review of a turn: where to post it, its bytes, and what must be in the answer.</summary>
    public static (string Path, byte[] Body, byte[] Answer) At(int turn)
    {
        var (path, review, allowed) = Kinds[turn % Kinds.Length];
        return (path, Encoding.UTF8.GetBytes(review.Replace("UID", $"uid-{turn}")), Encoding.UTF8.GetBytes($"\"allowed\":{(allowed ? "true" : "false")}"));
    }

    private static string Spec(int id) =>
        $$$"""{"NetworkID":"n{{{id}}}","NetworkType":"ipvlan","Options":{"host_device":"ens4","vlan":{{{id}}},"cidr":"10.0.0.0/24","net6":"fd00::/64","routes":{"10.50.0.0/24":"10.0.0.1"} } }""";

    private static (string, string, bool) Create(string kind, string spec, bool allowed) => ("/netvalidation", Review("CREATE", kind, spec, null), allowed);

    private static (string, string, bool) Update(string kind, string old, string spec) => ("/netvalidation", Review("UPDATE", kind, spec, old), true);

    // A dry run reserves no id, so that as many can be asked about as there is time for.
    private static string Review(string operation, string kind, string spec, string? old)
    {
        var resource = kind.ToLowerInvariant() + "s";
        var request = new JsonObject
        {
            ["uid"] = "UID",
            ["kind"] = new JsonObject { ["group"] = "danm.io", ["version"] = "v1", ["kind"] = kind },
            ["resource"] = new JsonObject { ["group"] = "danm.io", ["version"] = "v1", ["resource"] = resource },
            ["requestKind"] = new JsonObject { ["group"] = "danm.io", ["version"] = "v1", ["kind"] = kind },
            ["requestResource"] = new JsonObject { ["group"] = "danm.io", ["version"] = "v1", ["resource"] = resource },
            ["name"] = "new",
            ["operation"] = operation,
            ["userInfo"] = new JsonObject { ["username"] = "admin", ["groups"] = new JsonArray("system:masters", "system:authenticated") },
            ["object"] = Objects.Network(kind, "new", spec),
            ["oldObject"] = old is null ? null : Objects.Network(kind, "new", old),
            ["dryRun"] = true,
            ["options"] = new JsonObject { ["kind"] = operation == "CREATE" ? "CreateOptions" : "UpdateOptions", ["apiVersion"] = "meta.k8s.io/v1" },
        };
        if (kind != "ClusterNetwork")
            request["namespace"] = "default";
        return new JsonObject { ["kind"] = "AdmissionReview", ["apiVersion"] = "admission.k8s.io/v1", ["request"] = request }.ToJsonString();
    }
}
