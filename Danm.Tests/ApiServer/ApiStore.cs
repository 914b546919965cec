using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer;

/// <summary>The server's objects without HTTP, for seeds and looks; the same checks hold, but admission, webhooks and policies, is passed by.</summary>
public sealed class ApiStore(ResourceApi api)
{
    public long ResourceVersion => api.Store.Revision;

    /// <summary>
    /// Tells the listener of every change from now on, in order and while no other is made: the kind, what was there (null: nothing) and
    /// what is (null: it is gone).
    /// </summary>
    public void Listen(Action<string, StoredObject?, StoredObject?> listener) => api.Store.Committed += (type, change) => listener(type.Kind, change.Previous, change.Current);

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

    /// <summary>Stores an object that is there as it is given, unchecked: what no client may change, such as that it is being deleted.</summary>
    public void Overwrite(JsonObject whole)
    {
        var (type, ns, body) = Target(whole);
        var name = body.At("metadata", "name").String()!;
        while (api.Store.Table(type).Find(ns, name) is { } present && !api.Store.TryCommit(type, ns, name, present, (JsonObject)body.DeepClone(), null, out _))
        {
            // Somebody else has written it meanwhile.
        }
    }

    /// <summary>Ends all watches of a kind, as a server does that is restarted behind a load balancer.</summary>
    public void CloseWatches(string apiVersion, string kind) => api.Store.CloseWatches(Type(apiVersion, kind));

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
