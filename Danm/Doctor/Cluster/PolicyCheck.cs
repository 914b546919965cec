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

        var constraints = live["spec"]["matchConstraints"];
        return live["spec"]["failurePolicy"].Text == "Ignore" ? $"{wanted} lets everything pass that it cannot check (failurePolicy: Ignore)"
            : NotAsked(wanted, live) is { } request ? $"{wanted} is not asked about {request}"
            : constraints["excludeResourceRules"].Items.Any() || Selects(constraints["namespaceSelector"]) || Selects(constraints["objectSelector"]) ? $"{wanted} leaves some objects out (matchConstraints)"
            : null;
    }

    // Every combination of a rule's groups, versions, operations and resources is one request.
    private static string? NotAsked(Document wanted, Document live) =>
        (from rule in RulesOf(wanted)
         from gr in rule["apiGroups"].Texts
         from version in rule["apiVersions"].Texts
         from operation in rule["operations"].Texts
         from resource in rule["resources"].Texts
         where !RulesOf(live).Any(r => Has(r, "apiGroups", gr) && Has(r, "apiVersions", version) && Has(r, "operations", operation) && HasResource(r, resource)
            && !r["resourceNames"].Items.Any() && r["scope"].Text is "" or "*")
         select $"{operation} of {resource}").FirstOrDefault();

    private static IEnumerable<Document> RulesOf(Document policy) => policy["spec"]["matchConstraints"]["resourceRules"].Items;

    private static bool Has(Document rule, string list, string value) => rule[list].Texts.Any(t => t == value || t == "*");

    // A star alone is for no subresource.
    private static bool HasResource(Document rule, string resource) =>
        rule["resources"].Texts.Any(t => t == resource || t == "*/*" || (t == "*" && !resource.Contains('/', StringComparison.Ordinal)));

    // The API server writes {} where nothing was said.
    private static bool Selects(Document selector) => selector["matchLabels"].Members.Any() || selector["matchExpressions"].Items.Any();

    private static string? FaultOfBinding(Document wanted, Document live) =>
        live["spec"]["policyName"].Text != wanted["spec"]["policyName"].Text ? $"{wanted} binds another policy"
        : !live["spec"]["validationActions"].Texts.Contains("Deny") ? $"{wanted} does not deny"
        : live["spec"]["matchResources"].Exists ? $"{wanted} is for some objects only"
        : null;

    private static IEnumerable<string> Expressions(Document policy, string part) =>
        policy["spec"][part].Items.Select(i => string.Join(' ', i["expression"].Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
}
