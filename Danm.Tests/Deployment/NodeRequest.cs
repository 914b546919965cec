using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;

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
        if (Verb == "DELETE")
            return ($"{Target.CreationPath}/{name}", null);
        var body = (JsonObject)stored.DeepClone();
        foreach (var (field, value) in Sent!)
            body[field] = value?.DeepClone();
        // Each one is a change.
        body["metadata"]!["labels"] = new JsonObject { ["changed"] = "yes" };
        return ($"{Target.CreationPath}/{name}{Target.Subresource}", body);
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
