using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer;

/// <summary>The server's objects without HTTP, for seeds and looks; the same checks hold, but admission is passed by.</summary>
public sealed class ApiStore(ResourceApi api)
{
    public long ResourceVersion => api.Store.Revision;

    /// <exception cref="StatusException">What the server would answer.</exception>
    public JsonObject Create(JsonNode node)
    {
        var (type, ns, body) = Target(node);
        return Done(api.CreateAsync(type, ns, body, new WriteOptions(Strict: true))).Parse();
    }

    /// <summary>Replaces spec and metadata, and the status too where the object has one.</summary>
    public JsonObject Update(JsonNode node)
    {
        var (type, ns, body) = Target(node);
        var name = body.At("metadata", "name").String()!;
        var (result, _) = Done(api.UpdateAsync(type, ns, name, false, (JsonObject)body.DeepClone(), new WriteOptions(Strict: true)));
        if (type.HasStatus && body["status"] is { } status)
        {
            var whole = result.Parse();
            whole["status"] = status.DeepClone();
            (result, _) = Done(api.UpdateAsync(type, ns, name, true, whole, new WriteOptions(Strict: true)));
        }
        return result.Parse();
    }

    public JsonObject? Get(string apiVersion, string kind, string? ns, string name)
    {
        var type = Type(apiVersion, kind);
        return api.Store.Table(type).Find(type.Namespaced ? ns : null, name)?.Parse();
    }

    public IReadOnlyList<JsonObject> List(string apiVersion, string kind, string? ns = null) =>
        [.. ObjectTable.Range(api.Store.Table(Type(apiVersion, kind)).Objects, ns, null).Select(o => o.Parse())];

    public int Count(string apiVersion, string kind) => api.Store.Table(Type(apiVersion, kind)).Objects.Count;

    public void Delete(string apiVersion, string kind, string? ns, string name)
    {
        var type = Type(apiVersion, kind);
        Done(api.DeleteAsync(type, type.Namespaced ? ns : null, name, null, null, WriteOptions.Default));
    }

    /// <summary>Loads many objects of one kind unchecked and without events: uid and times are set, nothing is validated.</summary>
    public void Load(string apiVersion, string kind, IEnumerable<JsonObject> objects)
    {
        var type = Type(apiVersion, kind);
        api.Store.Load(type, objects.Select(o =>
        {
            Metadata.SetNew(o.Child("metadata"), type);
            return o;
        }));
    }

    /// <summary>Forgets history: watches from older versions and half-read lists get 410.</summary>
    public void Compact() => api.Store.Compact();

    private (ResourceType, string?, JsonObject) Target(JsonNode node)
    {
        // Through text, as over the wire: numbers made in code are of one CLR type only, parsed ones of any that fits.
        var body = Json.ParseObject(Json.ToUtf8(node));
        var type = Type(body["apiVersion"].String() ?? "", body["kind"].String() ?? "");
        return (type, type.Namespaced ? body.At("metadata", "namespace").String() ?? "default" : null, body);
    }

    /// <summary>Nothing but admission ever waits.</summary>
    private static T Done<T>(ValueTask<T> write) => write.IsCompleted ? write.GetAwaiter().GetResult() : throw new UnreachableException();

    private ResourceType Type(string apiVersion, string kind) => api.Catalog.FindKind(apiVersion, kind)
        ?? throw StatusException.BadRequest($"no matches for kind \"{kind}\" in version \"{apiVersion}\"");
}
