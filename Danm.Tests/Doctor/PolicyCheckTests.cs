using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Doctor;
using Danm.Doctor.Cluster;

namespace Danm.Tests.Doctor;

/// <summary>A policy that is there and decides nothing protects nobody.</summary>
[TestFixture, Parallelizable]
public sealed class PolicyCheckTests
{
    private static readonly Document Wanted = BuildManifests.Of("policies", "ValidatingAdmissionPolicy").Single(p => p.Name == "danm-node-objects");

    [Test]
    public void What_the_API_server_fills_in_is_no_difference() => FaultOf(p =>
    {
        var constraints = p["spec"]!["matchConstraints"]!.AsObject();
        (constraints["namespaceSelector"], constraints["objectSelector"], constraints["matchPolicy"]) = (new JsonObject(), new JsonObject(), "Equivalent");
        constraints["resourceRules"]![0]!["scope"] = "*";
    }).Should().BeNull();

    [Test]
    public void A_wider_rule_is_no_difference() => FaultOf(p => p["spec"]!["matchConstraints"]!["resourceRules"] =
        JsonNode.Parse("""[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}]""")).Should().BeNull();

    [TestCase("""{"resourceRules":[]}""", "is not asked about CREATE of danmeps")]
    [TestCase("""{"resourceRules":[{"apiGroups":["danm.io"],"apiVersions":["v1"],"operations":["CREATE","UPDATE"],"resources":["danmeps","ipallocations"]}]}""", "is not asked about DELETE of danmeps")]
    [TestCase("""{"resourceRules":[{"apiGroups":["danm.io"],"apiVersions":["v1"],"operations":["*"],"resources":["danmeps"]}]}""", "is not asked about CREATE of ipallocations")]
    [TestCase("""{"resourceRules":[{"apiGroups":["danm.io"],"apiVersions":["v1"],"operations":["*"],"resources":["*"],"resourceNames":["one"]}]}""", "is not asked about CREATE of danmeps")]
    [TestCase("""{"resourceRules":[{"apiGroups":["danm.io"],"apiVersions":["v1"],"operations":["*"],"resources":["*"],"scope":"Namespaced"}]}""", "is not asked about CREATE of danmeps")]
    [TestCase("""{"resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}],"excludeResourceRules":[{"resources":["danmeps"]}]}""", "leaves some objects out")]
    [TestCase("""{"resourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}],"namespaceSelector":{"matchLabels":{"a":"b"}}}""", "leaves some objects out")]
    public void A_policy_that_looks_at_less_is_said(string constraints, string expected) =>
        FaultOf(p => p["spec"]!["matchConstraints"] = JsonNode.Parse(constraints)).Should().Contain(expected);

    [Test]
    public void A_policy_that_lets_pass_what_it_cannot_check_is_said() => FaultOf(p => p["spec"]!["failurePolicy"] = "Ignore").Should().Contain("failurePolicy: Ignore");

    private static string? FaultOf(Action<JsonNode> change)
    {
        var live = JsonNode.Parse(Wanted.Json.GetRawText())!;
        change(live);
        return PolicyCheck.FaultOfPolicy(Wanted, new Document(JsonDocument.Parse(live.ToJsonString()).RootElement));
    }
}
