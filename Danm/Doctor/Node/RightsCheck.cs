using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;

namespace Danm.Doctor.Node;

/// <summary>Whether the plugin's credentials may do what it does (SelfSubjectAccessReview), and what else they may (SelfSubjectRulesReview).</summary>
internal sealed class RightsCheck(NodeView node) : ICheck
{
    private const string GroupVersion = "authorization.k8s.io/v1", Role = "caas:danm";
    private const int MostNamed = 5;

    // What every authenticated user may ask about himself.
    private static readonly string[] OfEverybody = ["authorization.k8s.io", "authentication.k8s.io"];

    /// <inheritdoc/>
    public string Id => "node-rights";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        AccessRight[] wanted = [.. AccessRight.Of(BuildManifests.Of("cni", "ClusterRole").Single(r => r.Name == Role)["rules"].Items)];
        string[] lacking;
        try
        {
            var answers = await Task.WhenAll(wanted.Select(async right => (right, May: await MayAsync(right, cancellation).ConfigureAwait(false)))).ConfigureAwait(false);
            lacking = [.. answers.Where(a => !a.May).Select(a => a.right.ToString())];
        }
        catch (ApiException e) when (e.Code is null or System.Net.HttpStatusCode.Unauthorized)
        {
            throw new CheckSkippedException("the API server does not serve this node's plugin: see node-kubeconfig");
        }

        if (lacking.Length > 0)
            yield return Finding.Failed($"the plugin may not {string.Join(", ", lacking)}", "kubectl apply -k manifests/cni, and see cluster-rbac");
        else
            yield return Finding.Ok($"the plugin has all {wanted.Length} rights that it needs");
        var more = (await AllAsync(cancellation).ConfigureAwait(false)).Where(r => !OfEverybody.Contains(r.Group) && !wanted.Any(w => w.Covers(r))).Select(r => r.ToString()).Distinct().ToList();
        if (more.Count > 0)
            yield return Finding.Info($"the plugin's credentials may also {string.Join(", ", more.Take(MostNamed))}{(more.Count > MostNamed ? $" and {more.Count - MostNamed} more" : "")}", "roles that are bound to all service accounts give that, or something else than manifests/cni: kubectl get clusterrolebindings -o wide");
    }

    private async Task<bool> MayAsync(AccessRight right, CancellationToken cancellation)
    {
        var parts = right.Resource.Split('/');
        var answer = await AskAsync("SelfSubjectAccessReview", "selfsubjectaccessreviews", new JsonObject
        {
            ["resourceAttributes"] = new JsonObject { ["group"] = right.Group, ["resource"] = parts[0], ["subresource"] = parts.ElementAtOrDefault(1), ["verb"] = right.Verb, ["name"] = right.Name },
        }, cancellation).ConfigureAwait(false);
        return answer["status"]["allowed"].Text == "true";
    }

    private async Task<IEnumerable<AccessRight>> AllAsync(CancellationToken cancellation)
    {
        var answer = await AskAsync("SelfSubjectRulesReview", "selfsubjectrulesreviews", new JsonObject { ["namespace"] = "default" }, cancellation).ConfigureAwait(false);
        return AccessRight.Of(answer["status"]["resourceRules"].Items);
    }

    private async Task<Document> AskAsync(string kind, string plural, JsonObject spec, CancellationToken cancellation)
    {
        var review = new JsonObject { ["apiVersion"] = GroupVersion, ["kind"] = kind, ["spec"] = spec };
        var answer = await node.Api.CreateAsync(ResourcePath.Of(GroupVersion, plural, null), review, ClusterJson.Default.JsonObject, cancellation).ConfigureAwait(false);
        using var json = JsonDocument.Parse(answer.Object.ToJsonString());
        return new Document(json.RootElement.Clone());
    }
}
