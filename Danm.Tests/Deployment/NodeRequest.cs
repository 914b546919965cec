using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>What a policy may be asked about, as one real request.</summary>
/// <param name="User">Who asks, and by a token of which node.</param>
/// <param name="Verb">POST, PUT or DELETE.</param>
/// <param name="Target">Of whose kind the object is.</param>
/// <param name="Sent">The object but for its name, apiVersion and kind; null with DELETE.</param>
/// <param name="Stored">What an administrator made before, likewise; null with POST.</param>
/// <param name="Name">The object's name; null: a new one, or that of an account for its token.</param>
internal sealed record NodeRequest(Impersonated User, string Verb, NodeTarget Target, JsonObject? Sent, JsonObject? Stored, string? Name)
{
    /// <summary>Makes what is to be there, and gives the request itself.</summary>
    /// <param name="cluster">Where.</param>
    /// <param name="newName">A name that no other object has.</param>
    public async Task<(string Path, JsonObject? Body)> PrepareAsync(ITestCluster cluster, string newName)
    {
        var name = Name ?? newName;
        if (Verb == "POST")
            return (Target.CreationPath, Whole(Sent!, name));
        var stored = Stored is null ? (await cluster.GetAsync(Target.ApiVersion, Target.Kind, name))! : await cluster.CreateAsync(Whole(Stored, name));
        return Verb == "DELETE" ? ($"{Target.CreationPath}/{name}", null) : ($"{Target.CreationPath}/{name}{Target.Subresource}", Changed(stored));
    }

    /// <summary>The same as a server tells it to admission.</summary>
    /// <param name="newName">A name that no other object has.</param>
    public JsonObject ToAttributes(string newName)
    {
        var name = Name ?? newName;
        var stored = Verb == "POST" ? null : Stored is null ? Objects.Node(name) : Whole(Stored, name);
        // /api/v1 or /apis/GROUP/VERSION, a namespace or none, the resource, and for tokens the account's name and what is made of it.
        var steps = Target.CreationPath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var (group, version, rest) = steps[0] == "api" ? ("", steps[1], steps[2..]) : (steps[1], steps[2], steps[3..]);
        var ns = rest[0] == "namespaces" ? rest[1] : "";
        rest = ns.Length > 0 ? rest[2..] : rest;
        var kind = Target.ApiVersion.Split('/');
        return new JsonObject
        {
            ["User"] = User.User, ["Node"] = User.Node, ["Namespace"] = ns,
            ["Operation"] = Verb switch { "POST" => "CREATE", "PUT" => "UPDATE", _ => "DELETE" },
            ["Name"] = rest.Length > 1 ? rest[1] : name,
            ["Subresource"] = rest.Length > 2 ? rest[2] : Verb == "PUT" ? Target.Subresource.TrimStart('/') : "",
            ["Kind"] = new JsonObject { ["Group"] = kind.Length > 1 ? kind[0] : "", ["Version"] = kind[^1], ["Kind"] = Target.Kind },
            ["Resource"] = new JsonObject { ["Group"] = group, ["Version"] = version, ["Resource"] = rest[0] },
            ["Object"] = Verb switch { "POST" => Whole(Sent!, name), "PUT" => Changed(stored!), _ => null },
            ["OldObject"] = stored,
        };
    }

    private JsonObject Changed(JsonObject stored)
    {
        var body = (JsonObject)stored.DeepClone();
        foreach (var (field, value) in Sent!)
            body[field] = value?.DeepClone();
        // Each one is a change.
        body["metadata"]!["labels"] = new JsonObject { ["changed"] = "yes" };
        return body;
    }

    private JsonObject Whole(JsonObject part, string name)
    {
        var whole = (JsonObject)part.DeepClone();
        (whole["apiVersion"], whole["kind"]) = (Target.ApiVersion, Target.Kind);
        if (Target != NodeTarget.Token)
            (whole["metadata"] ??= new JsonObject())["name"] = name;
        return whole;
    }
}
