using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.Deployment;

/// <summary>Roles and their bindings on a server of their own, each rule taken apart so that rights can be taken away one by one.</summary>
internal sealed class RoleSet
{
    private const string Group = "rbac.authorization.k8s.io/v1";

    private readonly ApiStore store;
    private readonly Authorizer authorizer;
    private readonly List<JsonObject> roles = [];
    private readonly List<(Right Right, JsonObject Role, int Rule)> rights = [];

    /// <param name="objects">Any; those of other kinds are passed over.</param>
    public RoleSet(IEnumerable<JsonObject> objects)
    {
        var all = objects.Where(o => o["apiVersion"].String() == Group).ToList();
        var api = new ResourceApi(new ObjectStore(), new ResourceCatalog(), collectsGarbage: false);
        (store, authorizer) = (new ApiStore(api), new Authorizer(api));
        foreach (var ns in all.Select(o => o.At("metadata", "namespace").String()).OfType<string>().Distinct())
            store.Create(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } });
        foreach (var role in all.Where(o => o["kind"].String() is "Role" or "ClusterRole"))
        {
            role["rules"] = new JsonArray([.. role["rules"]!.AsArray().SelectMany(Apart)]);
            roles.Add(store.Create(role));
        }

        foreach (var binding in all.Where(o => o["kind"].String() is "RoleBinding" or "ClusterRoleBinding"))
        {
            store.Create(binding);
            foreach (var subject in binding["subjects"]!.AsArray())
                Add(binding, subject!);
        }
    }

    /// <summary>All that accounts get; what two rules give is there twice.</summary>
    public IReadOnlyList<Right> Rights => [.. rights.Select(r => r.Right)];

    /// <summary>Roles that nobody has.</summary>
    public IEnumerable<string> Unbound => roles.Where(r => rights.TrueForAll(g => !ReferenceEquals(g.Role, r))).Select(r => $"{r["kind"]} {r.At("metadata", "name")}");

    /// <summary>Whether the roles allow it.</summary>
    public bool Allows(AccessQuestion question) => authorizer.May(question);

    /// <summary>Those rights without which everything that was asked is allowed all the same.</summary>
    public IEnumerable<Right> Unneeded(IReadOnlyCollection<AccessQuestion> asked)
    {
        foreach (var (right, role, rule) in rights)
        {
            // All that this right can be about: another one's absence changes nothing for them.
            var about = asked.Where(q => q.User == right.User && q.Verb == right.Verb && q.Group == right.Group && q.Resource == right.Resource && authorizer.May(q)).ToList();
            var without = (JsonObject)role.DeepClone();
            without["rules"]!.AsArray().RemoveAt(rule);
            store.Overwrite(without);
            var isNeeded = about.Exists(q => !authorizer.May(q));
            store.Overwrite(role);
            if (!isNeeded)
                yield return right;
        }
    }

    private void Add(JsonObject binding, JsonNode subject)
    {
        subject["kind"].String().Should().Be("ServiceAccount", "a right is an account's");
        var (kind, name) = (binding.At("roleRef", "kind").String(), binding.At("roleRef", "name").String());
        var ns = binding.At("metadata", "namespace").String();
        var role = roles.Where(r => r["kind"].String() == kind && r.At("metadata", "name").String() == name && (kind == "ClusterRole" || r.At("metadata", "namespace").String() == ns))
            .Should().ContainSingle("{0} {1} is bound", kind, name).Subject;
        foreach (var (rule, i) in role["rules"]!.AsArray().Select((r, i) => (r!, i)))
        {
            rights.Add((
                new Right(
                    $"{UserGroups.ServiceAccountPrefix}{subject["namespace"].String()}:{subject["name"].String()}", $"{kind} {name}", ns,
                    rule["verbs"]![0].String()!, rule["apiGroups"]![0].String()!, rule["resources"]![0].String()!, rule.At("resourceNames", "0").String()),
                role, i));
        }
    }

    private static IEnumerable<JsonObject> Apart(JsonNode? rule)
    {
        rule!.AsObject().Select(f => f.Key).Should().BeSubsetOf(["apiGroups", "resources", "resourceNames", "verbs"]);
        foreach (var group in Texts("apiGroups"))
            foreach (var resource in Texts("resources"))
                foreach (var name in rule["resourceNames"] is null ? [null] : Texts("resourceNames"))
                    foreach (var verb in Texts("verbs"))
                    {
                        verb.Should().NotBe("*", "what that is, another version decides");
                        resource.Should().NotBe("*");
                        var one = new JsonObject { ["apiGroups"] = new JsonArray(group), ["resources"] = new JsonArray(resource), ["verbs"] = new JsonArray(verb) };
                        if (name is not null)
                            one["resourceNames"] = new JsonArray(name);
                        yield return one;
                    }

        IEnumerable<string?> Texts(string list) => rule[list]!.AsArray().Select(v => v.String());
    }
}
