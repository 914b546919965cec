using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Tests;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>What manifests/policies lets a node and the webhook do, and what not: requests to an API server that has the policies, and nothing else that refuses.</summary>
public sealed class AdmissionPolicyTests : ClusterFixture
{
    private const string Accounts = "system:serviceaccount:kube-system:";
    private const string Plugin = $"{Accounts}danm", Netwatcher = $"{Accounts}netwatcher", Installer = $"{Accounts}danm-installer", Controller = $"{Accounts}danm-controller";
    private const string Webhook = $"{Accounts}danm-webhook", OnlyItsSecret = "only the Secret danm-webhook-tls";
    private const string NotToBeOthers = "must be a, the node of the token", Others = "of node b, and the token of node a", NoNode = "the token says no node";

    // What the definition refuses, it refuses before any policy is asked.
    private const string Unchangeable = "an allocation never changes";

    // Who, by whose token, does what; and a part of what a refusal says.
    private static readonly TestCaseData[] Table =
    [
        .. ((string[])[Plugin, Netwatcher]).SelectMany(EndpointsOf),
        .. ((string[])[Plugin, Netwatcher]).SelectMany(AllocationsOf),

        Row("another account's token says nothing", Post("system:serviceaccount:other:danm", null, NodeTarget.IpAllocation, Allocation("a")), null),
        Row("the controller frees what gone nodes had", Delete(Controller, null, NodeTarget.IpAllocation, Allocation("a")), null),
        Row("a kind that is not a node's", Post(Plugin, "a", NodeTarget.DanmNet, Spec("""{"NetworkID":"b"}""")), null),

        Row("the status of its own Pod", Put(Netwatcher, "a", NodeTarget.PodStatus, [], Pod("a")), null),
        Row("the status of another node's Pod", Put(Netwatcher, "a", NodeTarget.PodStatus, [], Pod("b")), "not of the token's node"),
        Row("the status of another node's Pod that is said to be its own", Put(Netwatcher, "a", NodeTarget.PodStatus, Pod("a"), Pod("b")), "not of the token's node"),
        Row("the status of a Pod without a node", Put(Netwatcher, "a", NodeTarget.PodStatus, [], Pod(null)), "not of the token's node"),
        Row("the status of a Pod by a token without a node", Put(Netwatcher, null, NodeTarget.PodStatus, [], Pod("a")), "not of the token's node"),
        Row("kubelet's own business", Put("system:node:b", null, NodeTarget.PodStatus, [], Pod("b")), null),

        Row("its own Node", Put(Netwatcher, "a", NodeTarget.NodeStatus, [], null, "a"), null),
        Row("another Node", Put(Netwatcher, "a", NodeTarget.NodeStatus, [], null, "b"), "not the token's node"),
        Row("a Node by a token without a node", Put(Netwatcher, null, NodeTarget.NodeStatus, [], null, "a"), "not the token's node"),

        Row("the network of Pods that ask for none", Post(Installer, "a", NodeTarget.ClusterNetwork, Spec("""{"NetworkID":"10-pods","NetworkType":"bridge"}"""), "default"), null),
        Row("another network", Post(Installer, "a", NodeTarget.ClusterNetwork, Spec("""{"NetworkID":"10-pods"}"""), "stolen"), "only the ClusterNetwork default"),
        Row("a default network with empty options", Post(Installer, "a", NodeTarget.ClusterNetwork, Spec("""{"NetworkID":"x","Options":{}}"""), "default"), "without Options"),
        Row("a default network of a device", Post(Installer, "a", NodeTarget.ClusterNetwork, Spec("""{"NetworkID":"x","Options":{"host_device":"ens4"}}"""), "default"), "without Options"),
        Row("an administrator's network", Post("admin", null, NodeTarget.ClusterNetwork, Spec("""{"NetworkID":"x","Options":{}}""")), null),

        Row("the webhook's certificate", Post(Webhook, "a", NodeTarget.Secret, Certificate("kubernetes.io/tls"), "danm-webhook-tls"), null),
        Row("a Secret of another type", Post(Webhook, "a", NodeTarget.Secret, Certificate("kubernetes.io/service-account-token"), "danm-webhook-tls"), OnlyItsSecret),
        Row("a Secret of no type", Post(Webhook, "a", NodeTarget.Secret, Certificate(null), "danm-webhook-tls"), OnlyItsSecret),
        Row("another Secret", Post(Webhook, "a", NodeTarget.Secret, Certificate("kubernetes.io/tls")), OnlyItsSecret),
        Row("an administrator's Secret", Post("admin", null, NodeTarget.Secret, Certificate(null)), null),

        Row("its own node's token", Post(Installer, "a", NodeTarget.Token, Bound("Node", "a")), null),
        Row("another node's token", Post(Installer, "a", NodeTarget.Token, Bound("Node", "b")), "its own Node"),
        Row("a token that is bound to a Pod of the node's name", Post(Installer, "a", NodeTarget.Token, Bound("Pod", "a")), "its own Node"),
        Row("a token that is bound to nothing", Post(Installer, "a", NodeTarget.Token, Spec("{}")), "its own Node"),
        Row("a token that is bound to a kind only", Post(Installer, "a", NodeTarget.Token, Bound("Node", null)), "its own Node"),
        Row("a token that is bound to a name only", Post(Installer, "a", NodeTarget.Token, Bound(null, "a")), "its own Node"),
        Row("an installer without a node", Post(Installer, null, NodeTarget.Token, Bound("Node", "a")), "its own Node"),
        Row("an administrator's token", Post("admin", null, NodeTarget.Token, Spec("{}")), null),
    ];

    /// <summary>What policies are asked in the table, and a part of what a refusal says.</summary>
    internal static IEnumerable<(string What, NodeRequest Request, string? Refusal)> Rows() => Table.Where(r => (string?)r.Arguments[1] != Unchangeable)
        .Select(r => ((string)r.Properties.Get(nameof(Row))!, (NodeRequest)r.Arguments[0]!, (string?)r.Arguments[1]));

    [OneTimeSetUp]
    public async Task ApplyPolicies()
    {
        await Cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests/crds"));
        foreach (var folder in (string[])["cni", "policies"])
            foreach (var one in Kustomization.Build(Path.Combine(DanmBinary.Repository, "manifests", folder)).Where(o => o["kind"].String() != "DaemonSet"))
                await Cluster.CreateAsync(one);
        foreach (var node in (string[])["a", "b"])
            await Cluster.CreateAsync(Objects.Node(node));
        foreach (var refused in Table.Where(r => r.Arguments[1] is not (null or Unchangeable)).Select(r => (NodeRequest)r.Arguments[0]!).GroupBy(r => r.Target))
            await UntilInForceAsync(refused);
    }

    [TestCaseSource(nameof(Table))]
    public async Task A_node_is_let_do_what_is_its_own(object row, string? refusal)
    {
        var request = (NodeRequest)row;
        var (path, body) = await request.PrepareAsync(Cluster, NewName());

        var (code, answer, _) = await Send(request.Verb, path, body, user: request.User);

        if (refusal is null)
        {
            code.Should().Be(request.Verb == "POST" ? 201 : 200, "{0}", answer);
            return;
        }

        answer["message"].String().Should().Contain(refusal).And.Contain(refusal == Unchangeable ? " is invalid: " : "ValidatingAdmissionPolicy 'danm-");
        (code, answer["reason"].String()).Should().Be(refusal == Unchangeable ? (422, "Invalid") : (403, "Forbidden"));
    }

    [Test]
    public void Each_policy_fails_closed_and_is_bound_to_deny()
    {
        var bindings = Policies("ValidatingAdmissionPolicyBinding").ToDictionary(b => b.At("spec", "policyName").String()!);
        foreach (var policy in Policies("ValidatingAdmissionPolicy"))
        {
            policy.At("spec", "failurePolicy").String().Should().Be("Fail");
            var binding = bindings[policy.At("metadata", "name").String()!];
            binding.At("spec", "validationActions").Strings().Should().Equal("Deny");
            binding.At("spec", "matchResources").Should().BeNull("nothing is left out");
        }
    }

    private static IEnumerable<JsonObject> Policies(string kind) =>
        Kustomization.Build(Path.Combine(DanmBinary.Repository, "manifests/policies")).Where(o => o["kind"].String() == kind);

    /// <summary>A real server compiles policies some time after they are stored: waits until any of the requests is refused.</summary>
    private async Task UntilInForceAsync(IGrouping<NodeTarget, NodeRequest> refused)
    {
        for (var waited = Stopwatch.StartNew(); ; await Task.Delay(100))
        {
            foreach (var request in refused)
            {
                var (path, body) = await request.PrepareAsync(Cluster, NewName());
                if ((await Send(request.Verb, $"{path}?dryRun=All", body, user: request.User)).Code == 403)
                    return;
            }

            waited.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(30), "the policy about {0} comes into force", refused.Key.Kind);
        }
    }

    private static IEnumerable<TestCaseData> EndpointsOf(string user)
    {
        TestCaseData Case(string what, NodeRequest request, string? refusal) => Row($"DanmEps, {user[Accounts.Length..]}: {what}", request, refusal);
        NodeRequest Make(JsonObject sent) => Post(user, "a", NodeTarget.DanmEp, sent);
        NodeRequest Change(JsonObject sent, JsonObject stored) => Put(user, "a", NodeTarget.DanmEp, sent, stored);
        NodeRequest Remove(JsonObject stored) => Delete(user, "a", NodeTarget.DanmEp, stored);

        yield return Case("its own is made", Make(Endpoint("a")), null);
        yield return Case("another's is made", Make(Endpoint("b")), NotToBeOthers);
        yield return Case("nobody's is made", Make(Endpoint(null)), NotToBeOthers);
        yield return Case("an empty name is made", Make(Endpoint("")), NotToBeOthers);
        yield return Case("one without a spec is made", Make([]), NotToBeOthers);
        yield return Case("its own is changed", Change(Endpoint("a"), Endpoint("a")), null);
        yield return Case("another's is changed", Change(Endpoint("b"), Endpoint("b")), Others);
        yield return Case("another's becomes its own", Change(Endpoint("a"), Endpoint("b")), Others);
        yield return Case("its own becomes another's", Change(Endpoint("b"), Endpoint("a")), NotToBeOthers);
        yield return Case("its own becomes nobody's", Change(Endpoint(null), Endpoint("a")), NotToBeOthers);
        yield return Case("nobody's becomes its own", Change(Endpoint("a"), Endpoint(null)), null);
        yield return Case("nobody's becomes another's", Change(Endpoint("b"), Endpoint(null)), NotToBeOthers);
        yield return Case("nobody's is labelled", Change(Endpoint(null), Endpoint(null)), null);
        yield return Case("that of an empty name is labelled", Change(Endpoint(""), Endpoint("")), null);
        yield return Case("one without a spec is labelled", Change([], []), null);
        yield return Case("its own is deleted", Remove(Endpoint("a")), null);
        yield return Case("another's is deleted", Remove(Endpoint("b")), Others);
        yield return Case("nobody's is deleted", Remove(Endpoint(null)), null);
        yield return Case("one without a spec is deleted", Remove([]), null);
        yield return Case("a token without a node makes one", Post(user, null, NodeTarget.DanmEp, Endpoint("a")), NoNode);
        yield return Case("a token without a node makes one of an empty name", Post(user, null, NodeTarget.DanmEp, Endpoint("")), NoNode);
        yield return Case("a token without a node deletes nobody's", Delete(user, null, NodeTarget.DanmEp, Endpoint(null)), NoNode);
    }

    private static IEnumerable<TestCaseData> AllocationsOf(string user)
    {
        TestCaseData Case(string what, NodeRequest request, string? refusal) => Row($"IPAllocations, {user[Accounts.Length..]}: {what}", request, refusal);
        NodeRequest Make(string? node) => Post(user, "a", NodeTarget.IpAllocation, Allocation(node));
        NodeRequest Change(string? sent, string? stored) => Put(user, "a", NodeTarget.IpAllocation, Allocation(sent), Allocation(stored));
        NodeRequest Remove(string? stored) => Delete(user, "a", NodeTarget.IpAllocation, Allocation(stored));

        yield return Case("its own is made", Make("a"), null);
        yield return Case("another's is made", Make("b"), NotToBeOthers);
        yield return Case("nobody's is made", Make(null), NotToBeOthers);
        yield return Case("an empty name is made", Make(""), NotToBeOthers);
        yield return Case("its own is labelled", Change("a", "a"), null);
        yield return Case("another's is labelled", Change("b", "b"), Others);
        yield return Case("nobody's is labelled", Change(null, null), null);
        yield return Case("that of an empty name is labelled", Change("", ""), null);
        yield return Case("another's becomes its own", Change("a", "b"), Unchangeable);
        yield return Case("nobody's becomes another's", Change("b", null), Unchangeable);
        yield return Case("its own is deleted", Remove("a"), null);
        yield return Case("another's is deleted", Remove("b"), Others);
        yield return Case("nobody's is deleted", Remove(null), null);
        yield return Case("a token without a node makes one", Post(user, null, NodeTarget.IpAllocation, Allocation("a")), NoNode);
        yield return Case("a token without a node deletes nobody's", Delete(user, null, NodeTarget.IpAllocation, Allocation(null)), NoNode);
    }

    private static NodeRequest Post(string user, string? node, NodeTarget target, JsonObject sent, string? name = null) => new(new Impersonated(user, node), "POST", target, sent, null, name);

    private static NodeRequest Put(string user, string? node, NodeTarget target, JsonObject sent, JsonObject? stored, string? name = null) => new(new Impersonated(user, node), "PUT", target, sent, stored, name);

    private static NodeRequest Delete(string user, string? node, NodeTarget target, JsonObject stored) => new(new Impersonated(user, node), "DELETE", target, null, stored, null);

    private static JsonObject Endpoint(string? node) => On(node, Spec("""{"Pod":"p"}"""));

    private static JsonObject Allocation(string? node) => On(node, Spec("""{"network":{"kind":"ClusterNetwork","name":"n"},"address":"10.0.0.5/24"}"""));

    private static JsonObject Pod(string? node) => On(node, Spec("""{"containers":[{"name":"app","image":"registry.example/app:1"}]}"""));

    private static JsonObject On(string? node, JsonObject made)
    {
        if (node is not null)
            made["spec"]!["nodeName"] = node;
        return made;
    }

    private static JsonObject Spec(string spec) => new() { ["spec"] = JsonNode.Parse(spec) };

    private static JsonObject Certificate(string? type)
    {
        var made = new JsonObject { ["data"] = new JsonObject { ["tls.crt"] = "", ["tls.key"] = "" }, ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["kubernetes.io/service-account.name"] = "danm" } } };
        if (type is not null)
            made["type"] = type;
        return made;
    }

    private static JsonObject Bound(string? kind, string? name)
    {
        var reference = new JsonObject { ["apiVersion"] = "v1" };
        if (kind is not null)
            reference["kind"] = kind;
        if (name is not null)
            reference["name"] = name;
        return new JsonObject { ["spec"] = new JsonObject { ["boundObjectRef"] = reference } };
    }

    private static TestCaseData Row(string what, NodeRequest request, string? refusal) => new TestCaseData(request, refusal).SetArgDisplayNames(what).SetProperty(nameof(Row), what);
}
