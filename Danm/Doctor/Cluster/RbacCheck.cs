using System.Runtime.CompilerServices;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether each component's account has the rights that this build needs, and no others.</summary>
internal sealed class RbacCheck(ClusterView cluster) : ICheck
{
    private const string Group = "rbac.authorization.k8s.io/v1";
    private const int MostNamed = 5;

    private static readonly Dictionary<string, string> Plurals = new()
    {
        ["ClusterRole"] = "clusterroles", ["ClusterRoleBinding"] = "clusterrolebindings", ["Role"] = "roles", ["RoleBinding"] = "rolebindings",
    };

    /// <inheritdoc/>
    public string Id => "cluster-rbac";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var (looked, wrong) = (0, false);
        foreach (var component in Component.All)
        {
            if (!component.IsNeeded && await cluster.TryGetAsync(Component.PathOf(component.Workload), cancellation).ConfigureAwait(false) is null)
                continue;
            foreach (var wanted in BuildManifests.Of(component.Folder, [.. Plurals.Keys, "ServiceAccount"]))
            {
                looked++;
                var findings = await cluster.TryGetAsync(PathOf(wanted), cancellation).ConfigureAwait(false) is { } live
                    ? Compare(wanted, live, component)
                    : [Finding.Failed($"{wanted} is missing", component.Apply)];
                foreach (var finding in findings)
                {
                    wrong = true;
                    yield return finding;
                }
            }
        }

        if (!wrong)
            yield return Finding.Ok($"{looked} accounts, roles and bindings are as this build's");
    }

    /// <summary>What a live object lacks, or has besides.</summary>
    internal static IEnumerable<Finding> Compare(Document wanted, Document live, Component component)
    {
        if (wanted["rules"].Exists)
        {
            var (needs, has) = (AccessRight.Of(wanted["rules"].Items).ToList(), AccessRight.Of(live["rules"].Items).ToList());
            var lacking = needs.Where(n => !has.Exists(h => h.Covers(n))).Select(r => r.ToString()).ToList();
            var more = has.Where(h => !needs.Exists(n => n.Covers(h))).Select(r => r.ToString()).ToList();
            if (lacking.Count > 0)
                yield return Finding.Failed($"{wanted} does not let {component.Folder} {Listed(lacking)}", component.Apply);
            if (more.Count > 0)
                yield return Finding.Warning($"{wanted} lets {component.Folder} {Listed(more)} besides what it needs", component.Apply);
        }
        else if (wanted["roleRef"].Exists)
        {
            if (live["roleRef"]["name"].Text != wanted["roleRef"]["name"].Text || live["roleRef"]["kind"].Text != wanted["roleRef"]["kind"].Text)
                yield return Finding.Failed($"{wanted} binds {CniText.Quote(live["roleRef"]["name"].Text)}", $"a binding's role cannot be changed: delete it, then {component.Apply}");
            foreach (var subject in wanted["subjects"].Items.Where(s => !live["subjects"].Items.Any(l => SubjectOf(l) == SubjectOf(s))))
                yield return Finding.Failed($"{wanted} does not bind {SubjectOf(subject)}", component.Apply);
            foreach (var subject in live["subjects"].Items.Where(l => !wanted["subjects"].Items.Any(s => SubjectOf(l) == SubjectOf(s))))
                yield return Finding.Warning($"{wanted} gives {component.Folder}'s rights to {SubjectOf(subject)}, too", $"take that out, or {component.Apply}");
        }
    }

    private static ResourcePath PathOf(Document wanted) => wanted["kind"].Text is "ServiceAccount"
        ? ResourcePath.Core("serviceaccounts", wanted.Namespace, wanted.Name)
        : ResourcePath.Of(Group, Plurals[wanted["kind"].Text], wanted.Namespace.Length > 0 ? wanted.Namespace : null, wanted.Name);

    private static string SubjectOf(Document subject) =>
        CniText.Clean($"{subject["kind"].Text} {(subject["namespace"].Text is { Length: > 0 } ns ? $"{ns}/" : "")}{subject["name"].Text}", 600);

    private static string Listed(List<string> rights) =>
        string.Join(", ", rights.Take(MostNamed)) + (rights.Count > MostNamed ? $" and {rights.Count - MostNamed} more" : "");
}
