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
            var workload = component.IsNeeded && component.Parts.Count == 0 ? null : await cluster.TryGetAsync(Component.PathOf(component.Workload), cancellation).ConfigureAwait(false);
            if (!component.IsNeeded && workload is null)
                continue;
            var folders = new List<(string Folder, string Apply, ComponentPart? Unneeded)> { (component.Folder, component.Apply, null) };
            // Of one that is not there nobody can tell what it would need.
            folders.AddRange(component.Parts.Where(_ => workload is not null).Select(p => (p.Folder, p.Apply, p.IsOn(workload!.Value) ? null : p)));
            foreach (var (folder, apply, unneeded) in folders)
            {
                foreach (var wanted in BuildManifests.Of(folder, [.. Plurals.Keys, "ServiceAccount"]))
                {
                    var live = await cluster.TryGetAsync(PathOf(wanted), cancellation).ConfigureAwait(false);
                    looked += unneeded is null || live is not null ? 1 : 0;
                    foreach (var finding in unneeded is null ? Compare(wanted, live, component.Folder, apply) : Unneeded(live, unneeded, component.Folder))
                    {
                        wrong = true;
                        yield return finding;
                    }
                }
            }
        }

        if (!wrong)
            yield return Finding.Ok($"{looked} accounts, roles and bindings are as this build's");
    }

    /// <summary>What is there though the flag that takes it is not.</summary>
    private static IEnumerable<Finding> Unneeded(Document? live, ComponentPart part, string folder)
    {
        if (live is { } binding && binding["roleRef"].Exists)
            yield return Finding.Warning($"{binding} gives {folder} rights that only {part.Flag} takes", part.Remove);
    }

    /// <summary>What a live object lacks, or has besides.</summary>
    /// <param name="wanted">As this build has it.</param>
    /// <param name="present">As it is; null: it is not there.</param>
    /// <param name="folder">Whose it is.</param>
    /// <param name="apply">How it is mended.</param>
    internal static IEnumerable<Finding> Compare(Document wanted, Document? present, string folder, string apply)
    {
        if (present is not { } live)
            yield return Finding.Failed($"{wanted} is missing", apply);
        else if (wanted["rules"].Exists)
        {
            var (needs, has) = (AccessRight.Of(wanted["rules"].Items).ToList(), AccessRight.Of(live["rules"].Items).ToList());
            var lacking = needs.Where(n => !has.Exists(h => h.Covers(n))).Select(r => r.ToString()).ToList();
            var more = has.Where(h => !needs.Exists(n => n.Covers(h))).Select(r => r.ToString()).ToList();
            if (lacking.Count > 0)
                yield return Finding.Failed($"{wanted} does not let {folder} {Listed(lacking)}", apply);
            if (more.Count > 0)
                yield return Finding.Warning($"{wanted} lets {folder} {Listed(more)} besides what it needs", apply);
        }
        else if (wanted["roleRef"].Exists)
        {
            if (live["roleRef"]["name"].Text != wanted["roleRef"]["name"].Text || live["roleRef"]["kind"].Text != wanted["roleRef"]["kind"].Text)
                yield return Finding.Failed($"{wanted} binds {CniText.Quote(live["roleRef"]["name"].Text)}", $"a binding's role cannot be changed: delete it, then {apply}");
            foreach (var subject in wanted["subjects"].Items.Where(s => !live["subjects"].Items.Any(l => SubjectOf(l) == SubjectOf(s))))
                yield return Finding.Failed($"{wanted} does not bind {SubjectOf(subject)}", apply);
            foreach (var subject in live["subjects"].Items.Where(l => !wanted["subjects"].Items.Any(s => SubjectOf(l) == SubjectOf(s))))
                yield return Finding.Warning($"{wanted} gives {folder}'s rights to {SubjectOf(subject)}, too", $"take that out, or {apply}");
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
