using System.Runtime.CompilerServices;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether the policies that keep a node's credentials to that node are there, and bound.</summary>
internal sealed class PolicyCheck(ClusterView cluster) : ICheck
{
    private const string Group = "admissionregistration.k8s.io/v1", Policies = "validatingadmissionpolicies", Bindings = "validatingadmissionpolicybindings", Apply = "kubectl apply -k manifests/policies";

    /// <inheritdoc/>
    public string Id => "cluster-policies";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (looked, wrong) = (0, false);
        foreach (var wanted in BuildManifests.Of("policies"))
        {
            looked++;
            var isBinding = wanted["kind"].Text == "ValidatingAdmissionPolicyBinding";
            var live = await cluster.TryGetAsync(ResourcePath.Of(Group, isBinding ? Bindings : Policies, null, wanted.Name), cancellation).ConfigureAwait(false);
            if ((live is null ? $"{wanted} is missing" : isBinding ? FaultOfBinding(wanted, live.Value) : FaultOfPolicy(wanted, live.Value)) is not { } fault)
                continue;
            wrong = true;
            yield return Finding.Failed($"{fault}: whoever has one node's credentials can act for others", Apply);
        }

        if (!wrong)
            yield return Finding.Ok($"{looked} policies and bindings are as this build's");
    }

    /// <summary>How a live policy differs; null if it does not.</summary>
    internal static string? FaultOfPolicy(Document wanted, Document live)
    {
        foreach (var (part, what) in ((string, string)[])[("validations", "checks"), ("matchConditions", "conditions"), ("variables", "variables")])
        {
            if (!Expressions(wanted, part).SequenceEqual(Expressions(live, part)))
                return $"the {what} of {wanted} are not this build's";
        }

        return live["spec"]["failurePolicy"].Text == "Ignore" ? $"{wanted} lets everything pass that it cannot check (failurePolicy: Ignore)" : null;
    }

    private static string? FaultOfBinding(Document wanted, Document live) =>
        live["spec"]["policyName"].Text != wanted["spec"]["policyName"].Text ? $"{wanted} binds another policy"
        : !live["spec"]["validationActions"].Texts.Contains("Deny") ? $"{wanted} does not deny"
        : live["spec"]["matchResources"].Exists ? $"{wanted} is for some objects only"
        : null;

    private static IEnumerable<string> Expressions(Document policy, string part) =>
        policy["spec"][part].Items.Select(i => string.Join(' ', i["expression"].Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
}
