using System.Text.Json.Nodes;

namespace Danm.Tests.Svcwatcher.Model;

/// <summary>Annotations of a Service beside what they mean, which nobody needs to read out of them.</summary>
/// <param name="Annotations">As they are written.</param>
/// <param name="Labels">What they choose; null: they choose nothing.</param>
/// <param name="Networks">Kind and name.</param>
internal sealed record ServiceVariant((string Key, string Value)[] Annotations, (string Key, string Value)[]? Labels, params (string Kind, string Name)[] Networks)
{
    public static readonly ServiceVariant[] All =
    [
        new([("danm.io/selector", """{"app":"x"}"""), ("danm.io/clusterNetwork", "n")], [("app", "x")], ("ClusterNetwork", "n")),
        new([("danm.io/selector", """{"app":"y"}"""), ("danm.io/network", "n")], [("app", "y")], ("DanmNet", "n")),
        new([("danm.io/selector", """{"app":"x","tier":"1"}"""), ("danm.io/tenantNetwork", "m")], [("app", "x"), ("tier", "1")], ("TenantNetwork", "m")),
        new(
            [("danm.io/selector", """{"app":"x"}"""), ("danm.io/clusterNetwork", "n"), ("danm.io/tenantNetwork", "n"), ("danm.io/network", "m")],
            [("app", "x")], ("ClusterNetwork", "n"), ("TenantNetwork", "n"), ("DanmNet", "m")),
        new([("danm.k8s.io/selector", """{"app":"y"}"""), ("danm.k8s.io/clusterNetwork", "m")], [("app", "y")], ("ClusterNetwork", "m")),
        new([("danm.io/selector", """{"app":"x"}"""), ("danm.k8s.io/selector", """{ "app": "x" }"""), ("danm.k8s.io/network", "n")], [("app", "x")], ("DanmNet", "n")),
        new([("danm.io/selector", """{"danm.io/network":"n"}"""), ("danm.io/clusterNetwork", "n"), ("danm.io/network", "n")], [("danm.io/network", "n")], ("ClusterNetwork", "n"), ("DanmNet", "n")),
        new([("danm.io/selector", """{"app":"x"}"""), ("danm.k8s.io/selector", """{"app":"y"}"""), ("danm.io/clusterNetwork", "n")], null),
        new([("danm.io/selector", "app=x"), ("danm.io/clusterNetwork", "n")], null),
        new([("danm.io/selector", "{}"), ("danm.io/clusterNetwork", "n")], null),
        new([("danm.io/selector", """{"app":"x"}""")], null),
        new([("example.org/other", "x")], null),
    ];

    /// <summary>The label of a Service that says which of them it has.</summary>
    public const string Label = "variant";

    public JsonObject ToJson() => new(Annotations.Select(a => KeyValuePair.Create(a.Key, (JsonNode?)a.Value)));
}
