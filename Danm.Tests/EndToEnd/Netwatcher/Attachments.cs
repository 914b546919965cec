using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>NetworkAttachmentDefinitions on the tests' server, as their owners handle them.</summary>
internal sealed class Attachments(EmbeddedApiServer server)
{
    private const string GroupVersion = "k8s.cni.cncf.io/v1", Kind = "NetworkAttachmentDefinition", Plural = "network-attachment-definitions";
    private const string Definitions = "apiextensions.k8s.io/v1", DefinitionKind = "CustomResourceDefinition";

    /// <summary>Updates that the server took.</summary>
    public int Written => server.Requests.Where("patch", Plural).Count(r => r.Status == 200);

    /// <summary>Updates that were tried.</summary>
    public int Tried => server.Requests.Count("patch", Plural);

    /// <summary>Netwatchers that hear of changes by now.</summary>
    public int Watched => server.Requests.Count("watch", Plural);

    /// <summary>Selects the updates, for a fault.</summary>
    public static Predicate<RequestRecord> Updates => Fault.On("patch", Plural);

    public void AddKind() => server.Store.Create(Manifests.Read(Path.Combine(AppContext.BaseDirectory, "EndToEnd", "Netwatcher", "attachments.yaml")).Single());

    public void RemoveKind()
    {
        if (server.Store.Get(Definitions, DefinitionKind, null, $"{Plural}.k8s.cni.cncf.io") is not null)
            server.Store.Delete(Definitions, DefinitionKind, null, $"{Plural}.k8s.cni.cncf.io");
    }

    public void Create(string name, string config, string ns = "default") => server.Store.Create(new JsonObject
    {
        ["apiVersion"] = GroupVersion,
        ["kind"] = Kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["annotations"] = new JsonObject { ["example.org/mine"] = "kept" } },
        ["spec"] = new JsonObject { ["config"] = config },
    });

    /// <summary>Its owner puts another text there.</summary>
    public void Edit(string name, Func<string, string> edit)
    {
        var definition = (JsonObject)Get(name).DeepClone();
        definition["spec"]!["config"] = edit(Config(name));
        server.Store.Update(definition);
    }

    public void Annotate(string name, string key, string? value)
    {
        var definition = (JsonObject)Get(name).DeepClone();
        var annotations = (JsonObject)definition["metadata"]!["annotations"]!;
        if (value is null)
            annotations.Remove(key);
        else
            annotations[key] = value;
        server.Store.Update(definition);
    }

    public void Delete(string name) => server.Store.Delete(GroupVersion, Kind, "default", name);

    public string Config(string name) => (string)Get(name)["spec"]!["config"]!;

    public string? Annotation(string name, string key) => Get(name).At("metadata", "annotations", key).String();

    public string Uid(string name) => (string)Get(name)["metadata"]!["uid"]!;

    private JsonObject Get(string name) => server.Store.Get(GroupVersion, Kind, "default", name)!;
}
