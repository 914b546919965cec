using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>What manifests/policies lets a node do, and what not.</summary>
public sealed class AdmissionPolicyTests
{
    private const string Plugin = "system:serviceaccount:kube-system:danm", Netwatcher = "system:serviceaccount:kube-system:netwatcher";
    private const string Installer = "system:serviceaccount:kube-system:danm-installer", Controller = "system:serviceaccount:kube-system:danm-controller";
    private const string Eps = "danm.io/danmeps", Ips = "danm.io/ipallocations", Networks = "danm.io/clusternetworks", Token = "serviceaccounts/token";

    // Who, by whose token, does what; and a part of what a refusal says.
    private static readonly TestCaseData[] Table =
    [
        .. from user in (string[])[Plugin, Netwatcher]
           from kind in (string[])[Eps, Ips]
           from row in ObjectsOf(user, kind)
           select row,

        Row("another account's token says nothing", Ask("system:serviceaccount:other:danm", null, "CREATE", Ips, Of("a")), null),
        Row("the controller frees what gone nodes had", Ask(Controller, null, "DELETE", Ips, null, Of("a")), null),
        Row("a kind that is not a node's", Ask(Plugin, "a", "CREATE", "danm.io/danmnets", Of("b")), null),

        Row("the status of its own Pod", Ask(Netwatcher, "a", "UPDATE", "pods/status", Of("a"), Of("a")), null),
        Row("the status of another node's Pod", Ask(Netwatcher, "a", "UPDATE", "pods/status", Of("a"), Of("b")), "not of the token's node"),
        Row("the status of a Pod without a node", Ask(Netwatcher, "a", "UPDATE", "pods/status", Of("a"), Of(null)), "not of the token's node"),
        Row("the status of a Pod by a token without a node", Ask(Netwatcher, null, "UPDATE", "pods/status", Of("a"), Of("a")), "not of the token's node"),
        Row("kubelet's own business", Ask("system:node:b", null, "UPDATE", "pods/status", Of("b"), Of("b")), null),

        Row("its own Node", Ask(Netwatcher, "a", "UPDATE", "nodes/status", [], [], "a"), null),
        Row("another Node", Ask(Netwatcher, "a", "UPDATE", "nodes/status", [], [], "b"), "not the token's node"),
        Row("a Node by a token without a node", Ask(Netwatcher, null, "UPDATE", "nodes/status", [], [], "a"), "not the token's node"),

        Row("the network of Pods that ask for none", Ask(Installer, "a", "CREATE", Networks, Named("default", """{"NetworkID":"10-pods","NetworkType":"bridge"}""")), null),
        Row("another network", Ask(Installer, "a", "CREATE", Networks, Named("stolen", """{"NetworkID":"10-pods"}""")), "only the ClusterNetwork default"),
        Row("a default network of a device", Ask(Installer, "a", "CREATE", Networks, Named("default", """{"NetworkID":"x","Options":{"host_device":"ens4"}}""")), "without Options"),
        Row("an administrator's network", Ask("admin", null, "CREATE", Networks, Named("any", """{"Options":{}}""")), null),

        Row("its own node's token", Ask(Installer, "a", "CREATE", Token, Bound("Node", "a")), null),
        Row("another node's token", Ask(Installer, "a", "CREATE", Token, Bound("Node", "b")), "its own Node"),
        Row("a token that is bound to a Pod of the node's name", Ask(Installer, "a", "CREATE", Token, Bound("Pod", "a")), "its own Node"),
        Row("a token that is bound to nothing", Ask(Installer, "a", "CREATE", Token, Spec([])), "its own Node"),
        Row("a token that is bound to a kind only", Ask(Installer, "a", "CREATE", Token, Bound("Node", null)), "its own Node"),
        Row("a token that is bound to a name only", Ask(Installer, "a", "CREATE", Token, Bound(null, "a")), "its own Node"),
        Row("an installer without a node", Ask(Installer, null, "CREATE", Token, Bound("Node", "a")), "its own Node"),
        Row("an administrator's token", Ask("admin", null, "CREATE", Token, Spec([])), null),
    ];

    private static readonly List<AdmissionPolicy> Policies =
        [.. Policy("ValidatingAdmissionPolicy").Select(p => new AdmissionPolicy(p))];

    private static IEnumerable<TestCaseData> ObjectsOf(string user, string kind)
    {
        var who = $"{user.Split(':')[^1]}, {kind.Split('/')[1]}: ";
        yield return Row(who + "its own is made", Ask(user, "a", "CREATE", kind, Of("a")), null);
        yield return Row(who + "another's is made", Ask(user, "a", "CREATE", kind, Of("b")), "must be a, the node of the token");
        yield return Row(who + "nobody's is made", Ask(user, "a", "CREATE", kind, Of(null)), "must be a, the node of the token");
        yield return Row(who + "an empty name is made", Ask(user, "a", "CREATE", kind, Of("")), "must be a, the node of the token");
        yield return Row(who + "its own is changed", Ask(user, "a", "UPDATE", kind, Of("a"), Of("a")), null);
        yield return Row(who + "another's is changed", Ask(user, "a", "UPDATE", kind, Of("b"), Of("b")), "of node b, and the token of node a");
        yield return Row(who + "another's becomes its own", Ask(user, "a", "UPDATE", kind, Of("a"), Of("b")), "of node b, and the token of node a");
        yield return Row(who + "its own becomes another's", Ask(user, "a", "UPDATE", kind, Of("b"), Of("a")), "must be a, the node of the token");
        yield return Row(who + "its own becomes nobody's", Ask(user, "a", "UPDATE", kind, Of(null), Of("a")), "must be a, the node of the token");
        yield return Row(who + "nobody's is labelled", Ask(user, "a", "UPDATE", kind, Of(null), Of(null)), null);
        yield return Row(who + "that of an empty name is labelled", Ask(user, "a", "UPDATE", kind, Of(""), Of("")), null);
        yield return Row(who + "one without a spec is labelled", Ask(user, "a", "UPDATE", kind, [], []), null);
        yield return Row(who + "one without a spec is made", Ask(user, "a", "CREATE", kind, []), "must be a, the node of the token");
        yield return Row(who + "one without a spec is deleted", Ask(user, "a", "DELETE", kind, null, []), null);
        yield return Row(who + "nobody's becomes another's", Ask(user, "a", "UPDATE", kind, Of("b"), Of(null)), "must be a, the node of the token");
        yield return Row(who + "its own is deleted", Ask(user, "a", "DELETE", kind, null, Of("a")), null);
        yield return Row(who + "another's is deleted", Ask(user, "a", "DELETE", kind, null, Of("b")), "of node b, and the token of node a");
        yield return Row(who + "nobody's is deleted", Ask(user, "a", "DELETE", kind, null, Of(null)), null);
        yield return Row(who + "a token without a node", Ask(user, null, "DELETE", kind, null, Of(null)), "the token says no node");
        yield return Row(who + "a token without a node, an empty name", Ask(user, null, "CREATE", kind, Of("")), "the token says no node");
    }

    [TestCaseSource(nameof(Table))]
    public void A_node_is_let_do_what_is_its_own(object question, string? refusal)
    {
        var refusals = Policies.Select(p => p.Refusal((AdmissionQuestion)question)).OfType<string>();

        if (refusal is null)
            refusals.Should().BeEmpty();
        else
            refusals.Should().ContainSingle().Which.Should().Contain(refusal);
    }

    [Test]
    public void Each_policy_fails_closed_and_is_bound_to_deny()
    {
        var bindings = Policy("ValidatingAdmissionPolicyBinding").ToDictionary(b => b.At("spec", "policyName").String()!);
        foreach (var policy in Policy("ValidatingAdmissionPolicy"))
        {
            policy.At("spec", "failurePolicy").String().Should().Be("Fail");
            var binding = bindings[policy.At("metadata", "name").String()!];
            binding.At("spec", "validationActions")!.AsArray().Select(a => a.String()).Should().Equal("Deny");
            binding.At("spec", "matchResources").Should().BeNull("nothing is left out");
        }
    }

    private static IEnumerable<JsonObject> Policy(string kind) =>
        Kustomization.Build(Path.Combine(DanmBinary.Repository, "manifests/policies")).Where(o => o["kind"].String() == kind);

    private static AdmissionQuestion Ask(string user, string? node, string operation, string resource, JsonObject? made, JsonObject? old = null, string name = "x") =>
        new(user, node, operation, resource, name, made, old);

    private static JsonObject Named(string name, string spec) => new() { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = JsonNode.Parse(spec) };

    private static JsonObject Of(string? node) => Spec(node is null ? [] : new JsonObject { ["nodeName"] = node });

    private static JsonObject Spec(JsonObject spec) => new() { ["spec"] = spec };

    private static JsonObject Bound(string? kind, string? name)
    {
        var reference = new JsonObject();
        if (kind is not null)
            reference["kind"] = kind;
        if (name is not null)
            reference["name"] = name;
        return Spec(new JsonObject { ["boundObjectRef"] = reference });
    }

    private static TestCaseData Row(string what, AdmissionQuestion question, string? refusal) => new TestCaseData(question, refusal).SetArgDisplayNames(what);
}
