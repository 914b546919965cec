using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Deployment;

/// <summary>That the check of the alerts finds what is wrong; EndToEnd/Cluster holds it to what runs.</summary>
[TestFixture, Parallelizable]
public sealed class AlertTests
{
    private const string Page = """
        # TYPE danm_pool gauge
        danm_pool{otel_scope_name="x",kind="DanmNet",network="a \" b"} 3 1700000000000
        danm_pool{otel_scope_name="x",network="b"} 3
        danm_failures_total 0
        danm_shares{namespace="tenant"} 1
        """;

    [TestCase("danm_pool > 0", "")]
    [TestCase("sum by (network) (danm_pool) > 0.9 * max(danm_failures_total)", "danm_failures_total has no label network")]
    [TestCase("rate(danm_failures_total{pod=~\"(a|b).*\"}[5m]) > 0", "")]
    [TestCase("danm_pool{kind=\"DanmNet\"} > 0", "danm_pool has no label kind")]
    [TestCase("increase(danm_failure_total[10m]) > 0", "nobody tells danm_failure_total")]
    [TestCase("sum by (network, family) (danm_pool - danm_pool)", "danm_pool has no label family")]
    [TestCase("kube_deployment_status_replicas_available{deployment=~\"danm-.*\"} == 0", "")]
    public void A_metric_or_label_that_nobody_tells_is_found(string expression, string fault) =>
        FaultsOf(expression, "", honorLabels: true).Distinct().Should().BeEquivalentTo(fault.Length == 0 ? [] : [$"A: {fault}"]);

    [TestCase("danm_pool > 0", "network", true)]
    [TestCase("danm_pool > 0", "pod", true)]
    [TestCase("sum by (network) (danm_pool)", "network", true)]
    [TestCase("sum by (network) (danm_pool)", "pod", false)]
    [TestCase("max(danm_pool)", "network", false)]
    public void A_text_has_the_labels_that_are_left(string expression, string label, bool isThere) =>
        FaultsOf(expression, $"it is {{{{ $labels.{label} }}}}", honorLabels: true).Any().Should().Be(!isThere);

    [Test]
    public void A_label_that_the_Pods_own_overwrites_is_found() =>
        FaultsOf("danm_pool > 0", "", honorLabels: false).Should().Equal("danm_shares has the label namespace, which its Pod's overwrites");

    [Test]
    public void Without_series_no_alert_of_Danms_own_is_in_order() => Alerts.Faults(Alerts.Rules, Alerts.Monitor, []).Select(f => f.Split(':')[0]).Distinct()
        .Should().BeEquivalentTo(Alerts.Rules.Where(r => !r["expr"].String()!.Contains("kube_")).Select(r => r["alert"].String()));

    private static IEnumerable<string> FaultsOf(string expression, string text, bool honorLabels)
    {
        var rule = new JsonObject { ["alert"] = "A", ["expr"] = expression, ["annotations"] = new JsonObject { ["summary"] = text } };
        var monitor = new JsonObject { ["spec"] = new JsonObject { ["podMetricsEndpoints"] = new JsonArray(new JsonObject { ["honorLabels"] = honorLabels }) } };
        return Alerts.Faults([rule], monitor, [.. Alerts.Series(Page)]);
    }
}
