using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Patches;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.ApiServer.Store;
using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Http;

/// <summary>The verbs on resources over HTTP: reads options, asks <see cref="ResourceApi"/>, answers.</summary>
public sealed class ResourceEndpoint(ResourceApi api, MutatingAdmission webhooks, PolicyAdmission policies, OwnerReferencePermissions? owners, TimeSpan bookmarkInterval)
{
    private const int BodyLimit = 3 * 1024 * 1024;

    private readonly ListEndpoint lists = new(api.Store);
    private readonly WatchEndpoint watches = new(api.Store, bookmarkInterval);

    public static string Verb(HttpRequest request, RequestPath? path) => request.Method switch
    {
        _ when path is null => request.Method.ToLowerInvariant(),
        "GET" or "HEAD" when IsTrue(request.Query["watch"]) => "watch",
        "GET" or "HEAD" => path.Name is null ? "list" : "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => path.Name is null ? "deletecollection" : "delete",
        var method => method.ToLowerInvariant(),
    };

    public async Task HandleAsync(HttpContext context, UserInfo user, RequestPath path, string verb, RequestRecord record, Response response, CancellationToken stopping)
    {
        var type = api.Catalog.Find(path.Group, path.Version, path.Plural) ?? throw StatusException.NoSuchResource();
        var ns = path.Namespace;
        if (ns is not null && !type.Namespaced || ns is null && type.Namespaced && (path.Name is not null || verb is not ("list" or "watch")))
            throw path.Name is null && type.Namespaced ? StatusException.MethodNotAllowed("the server does not allow this method on the requested resource") : StatusException.NoSuchResource();
        if (path.Subresource is not null && !(path.Subresource == "status" && type.HasStatus))
            throw StatusException.NoSuchResource();
        if (verb == "watch")
        {
            await watches.WatchAsync(context, response, type, ns, path.Name, stopping);
            return;
        }
        var request = context.Request;
        if (verb == "list")
        {
            using var text = lists.List(request, type, ns);
            await response.WriteAsync(200, text.Written);
            return;
        }
        var form = Representation.Of(request, type);
        if (verb == "get")
        {
            await response.WriteAsync(200, form.One(api.Get(type, ns, path.Name!)));
            return;
        }
        var body = await ReadAsync(request, record);
        var deletion = verb.StartsWith("delete", StringComparison.Ordinal) ? DeleteOptions(body) : [];
        var admission = new RequestAdmission(webhooks, policies, owners, user, () => Told(verb, request.Query, deletion), context.RequestAborted);
        var options = Options(request.Query, deletion) with { Admission = admission };
        try
        {
            if (verb == "delete" && path.Subresource is null)
                await DeleteAsync(type, ns, path.Name!, deletion["preconditions"], options, response, form);
            else if (verb == "deletecollection")
                await DeleteCollectionAsync(request, type, ns, options, response);
            else
                await WriteAsync(request, type, path, verb, body, options, response, form);
        }
        catch (StatusException)
        {
            response.Warn(admission.Warnings);
            throw;
        }
        finally
        {
            record.Admission = admission.Calls;
        }
    }

    private async Task WriteAsync(HttpRequest request, ResourceType type, RequestPath path, string verb, ReadOnlyMemory<byte> body, WriteOptions options, Response response, Representation form)
    {
        var ns = path.Namespace;
        var status = path.Subresource == "status";
        StoredObject result;
        var isNew = verb == "create";
        switch (verb)
        {
            case "create" when path.Name is null:
                RequireJson(request);
                var (made, taken) = await api.TryCreateAsync(type, ns, Json.ParseObject(body.Span), options);
                if (made is null)
                {
                    response.Warn(options.Admission!.Warnings);
                    await response.WriteAsync(taken!);
                    return;
                }

                result = made;
                break;
            case "update" when path.Name is not null:
                RequireJson(request);
                (result, isNew) = await api.UpdateAsync(type, ns, path.Name, status, Json.ParseObject(body.Span), options);
                break;
            case "patch" when path.Name is not null:
                result = await api.PatchAsync(type, ns, path.Name, status, Patch(request, type, Json.Parse(body.Span)), options);
                break;
            default:
                throw StatusException.MethodNotAllowed("the server does not allow this method on the requested resource");
        }
        response.Warn([.. options.Warnings ?? [], .. options.Admission!.Warnings]);
        await response.WriteAsync(isNew ? 201 : 200, form.One(result));
    }

    private async Task DeleteAsync(ResourceType type, string? ns, string name, JsonNode? preconditions, WriteOptions options, Response response, Representation form)
    {
        var deleted = await api.DeleteAsync(type, ns, name, preconditions.At("uid").String(), preconditions.At("resourceVersion").String(), options);
        response.Warn(options.Admission!.Warnings);
        if (type == BuiltInTypes.Pod)
        {
            await response.WriteAsync(200, form.One(deleted));
            return;
        }
        await response.WriteAsync(200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = new JsonObject { ["name"] = name, ["group"] = type.Group, ["kind"] = type.Plural, ["uid"] = deleted.Uid },
        });
    }

    private async Task DeleteCollectionAsync(HttpRequest request, ResourceType type, string? ns, WriteOptions options, Response response)
    {
        using var list = lists.List(request, type, ns);
        foreach (var item in (JsonArray)Json.ParseObject(list.Written.Span)["items"]!)
        {
            try
            {
                await api.DeleteAsync(type, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!, null, null, options, ofCollection: true);
            }
            catch (StatusException e) when (e.Code == 404)
            {
                // Another deletion was faster, which is as good.
            }
        }
        response.Warn(options.Admission!.Warnings);
        await response.WriteAsync(200, list.Written);
    }

    /// <summary>The options as webhooks see them.</summary>
    internal static JsonObject Told(string verb, IQueryCollection query, JsonObject deletion)
    {
        var options = (JsonObject)deletion.DeepClone();
        foreach (var name in (string[])["fieldManager", "fieldValidation"])
            if (query[name].ToString() is { Length: > 0 } value)
                options[name] = value;
        if (query["dryRun"].ToString() is { Length: > 0 } dryRun)
            options["dryRun"] = new JsonArray(dryRun);
        options["kind"] = verb switch { "create" => "CreateOptions", "update" => "UpdateOptions", "patch" => "PatchOptions", _ => "DeleteOptions" };
        options["apiVersion"] = "meta.k8s.io/v1";
        return options;
    }

    /// <summary>Pods go at once, as if their kubelet had confirmed, and what has dependents too: a deletion in the foreground is one in the background.</summary>
    private static JsonObject DeleteOptions(ReadOnlyMemory<byte> body) => body.IsEmpty ? [] : Json.ParseObject(body.Span);

    private static Func<JsonObject, JsonObject> Patch(HttpRequest request, ResourceType type, JsonNode? patch)
    {
        var media = request.ContentType?.Split(';')[0].Trim();
        switch (media)
        {
            case "application/merge-patch+json":
                return o => (JsonObject)MergePatch.Apply(o, Object(patch))!;
            case "application/json-patch+json":
                return o => JsonPatch.Apply(o, patch as JsonArray ?? throw StatusException.BadRequest("a JSON patch must be an array"));
            case "application/strategic-merge-patch+json" when !type.IsCustom:
                return o => StrategicMergePatch.Apply(o, Object(patch));
            case "application/apply-patch+yaml":
                throw StatusException.UnsupportedMediaType("the embedded API server does not implement server-side apply");
            default:
                throw StatusException.UnsupportedMediaType($"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json{(type.IsCustom ? "" : ", application/strategic-merge-patch+json")} (got {media})");
        }

        static JsonObject Object(JsonNode? patch) => patch as JsonObject ?? throw StatusException.BadRequest("the patch must be an object");
    }

    private static void RequireJson(HttpRequest request)
    {
        if (request.ContentType?.Split(';')[0].Trim() is not ("application/json" or null))
            throw StatusException.UnsupportedMediaType($"the body of the request was in an unknown format - accepted media types include: application/json (got {request.ContentType})");
    }

    private static WriteOptions Options(IQueryCollection query, JsonObject deletion)
    {
        var dryRun = deletion["dryRun"] is JsonArray { Count: > 0 } list ? list[0].String() : query["dryRun"].ToString();
        if (dryRun is not ("" or "All"))
            throw StatusException.BadRequest($"dryRun: Unsupported value: \"{dryRun}\": supported values: \"All\"");
        var policy = deletion["propagationPolicy"].String() ?? query["propagationPolicy"].ToString();
        if (policy is not ("" or "Orphan" or "Background" or "Foreground"))
            throw StatusException.BadRequest($"propagationPolicy: Unsupported value: \"{policy}\": supported values: \"Foreground\", \"Background\", \"Orphan\"");
        WriteOptions options = query["fieldValidation"].ToString() switch
        {
            "Strict" => new(dryRun == "All", Strict: true, Warnings: []),
            "Ignore" => new(dryRun == "All"),
            "" or "Warn" => new(dryRun == "All", Warnings: []),
            var other => throw StatusException.BadRequest($"fieldValidation: Unsupported value: \"{other}\": supported values: \"Ignore\", \"Strict\", \"Warn\""),
        };
        return options with { Orphans = policy == "Orphan" };
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, RequestRecord record)
    {
        if (request.ContentLength > BodyLimit)
            throw StatusException.TooLarge(BodyLimit);
        using var buffer = new MemoryStream((int)(request.ContentLength ?? 0));
        while (true)
        {
            var read = await request.BodyReader.ReadAsync(request.HttpContext.RequestAborted);
            foreach (var part in read.Buffer)
                buffer.Write(part.Span);
            record.RequestBytes += read.Buffer.Length;
            request.BodyReader.AdvanceTo(read.Buffer.End);
            if (buffer.Length > BodyLimit)
                throw StatusException.TooLarge(BodyLimit);
            if (read.IsCompleted)
                return buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        }
    }

    private static bool IsTrue(string? text) => text is "true" or "1";
}
