using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Schema;
using Danm.Tests.ApiServer.Services;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer;

/// <summary>The verbs that write, with every check of the real server's registry that this one knows, free of HTTP.</summary>
public sealed class ResourceApi(ObjectStore store, ResourceCatalog catalog, bool collectsGarbage)
{
    private const int PatchAttempts = 6;

    private readonly ServiceAllocation allocation = new(store);
    private readonly Lock allocating = new();
    private readonly GarbageCollector? garbage = collectsGarbage ? new(store, catalog) : null;

    public ObjectStore Store => store;

    public ResourceCatalog Catalog => catalog;

    public StoredObject Get(ResourceType type, string? ns, string name) =>
        store.Table(type).Find(ns, name) ?? throw StatusException.NotFound(type, name);

    public async ValueTask<StoredObject> CreateAsync(ResourceType type, string? ns, JsonObject body, WriteOptions options)
    {
        var (made, taken) = await TryCreateAsync(type, ns, body, options);
        return made ?? throw taken!;
    }

    /// <summary>If there is one of that name it is said, not thrown: where names are raced for, an exception would cost more than the rest.</summary>
    public async ValueTask<(StoredObject? Made, StatusException? Taken)> TryCreateAsync(ResourceType type, string? ns, JsonObject body, WriteOptions options)
    {
        body = Decode(type, ns, body, options);
        var metadata = body.Child("metadata");
        Metadata.Wipe(metadata);
        if (ns is not null)
            RequireActive(Get(BuiltInTypes.Namespace, null, ns), type, metadata["name"].String() ?? "");
        var requested = metadata["name"].String() ?? "";
        body = await AdmitAsync(type, AdmissionAttributes.Create, ns, requested, null, body, null, options);
        metadata = body.Child("metadata");
        if (metadata["resourceVersion"].String() is not (null or "" or "0"))
            throw new StatusException(500, "InternalError", "resourceVersion should not be set on objects to be created");
        Metadata.SetNew(metadata, type);
        if (type.HasStatus)
            body.Remove("status");
        if (metadata["name"].String() is null or "")
            throw StatusException.Invalid(type, "", [FieldError.Required("metadata.name", "name or generateName is required")]);
        SetInitialState(type, body);
        if (type.Allocate is null)
            return Keep(type, ns, requested, body, options);
        lock (allocating)
            return Keep(type, ns, requested, body, options);
    }

    /// <summary>As the admission plugin NamespaceLifecycle, which is asked before any webhook. Here a namespace ends only where a test says so in its status.</summary>
    private static void RequireActive(StoredObject ns, ResourceType type, string name)
    {
        if (ns.Parse().At("status", "phase").String() != "Terminating")
            return;
        throw new StatusException(403, "Forbidden", $"{type.QualifiedName} \"{name}\" is forbidden: unable to create new content in namespace {ns.Name} because it is being terminated", new JsonObject
        {
            ["name"] = name, ["group"] = type.Group, ["kind"] = type.Plural,
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = $"namespace {ns.Name} is being terminated", ["field"] = "metadata.namespace" }),
        });
    }

    /// <param name="requested">The name that the client gave; empty under generateName.</param>
    private (StoredObject? Made, StatusException? Taken) Keep(ResourceType type, string? ns, string requested, JsonObject body, WriteOptions options)
    {
        var name = body.At("metadata", "name").String()!;
        Validate(type, name, body, null);
        Judge(new(type, null, ns, requested, AdmissionAttributes.Create, body, null, options.DryRun), options);
        var created = type == BuiltInTypes.CustomResourceDefinition ? Establish(body) : null;
        if (store.Table(type).Find(ns, name) is not null)
            return (null, StatusException.AlreadyExists(type, name));
        if (options.DryRun)
            return (StoredObject.From(body, type, 0), null);
        if (!store.TryCommit(type, ns, name, null, body, ns is null ? null : (BuiltInTypes.Namespace, ns), out var result))
            return (null, StatusException.AlreadyExists(type, name));
        if (created is not null)
            catalog.Set(created);
        garbage?.AfterWrite(type, result!);
        return (result, null);
    }

    public async ValueTask<(StoredObject Object, bool IsNew)> UpdateAsync(ResourceType type, string? ns, string name, bool statusOnly, JsonObject body, WriteOptions options)
    {
        body = Decode(type, ns, body, options);
        if (body.At("metadata", "name").String() is { } given && given != name)
            throw StatusException.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
        if (body.At("metadata", "name") is null)
            throw StatusException.Invalid(type, "", [FieldError.Required("metadata.name", "name is required")]);
        var version = body.At("metadata", "resourceVersion").String();
        for (var attempt = 0; ; attempt++)
        {
            if (store.Table(type).Find(ns, name) is not { } old)
            {
                Missing(type, name, body, statusOnly);
                if (await TryCreateAsync(type, ns, (JsonObject)body.DeepClone(), options) is { Made: { } made })
                    return (made, true);
                continue;
            }

            if (type.NeedsVersion && string.IsNullOrEmpty(version))
                throw StatusException.Invalid(type, name, [new("FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0x0: must be specified for an update")]);
            if (await ReplaceAsync(type, old, (JsonObject)body.DeepClone(), statusOnly, options) is { } result)
                return (result, false);
            if (!string.IsNullOrEmpty(version) || attempt == PatchAttempts)
                throw StatusException.Modified(type, name);
        }
    }

    /// <summary>Throws unless the object may be made now. One that had a uid was another: that it is gone is a conflict, not a 404.</summary>
    private static void Missing(ResourceType type, string name, JsonObject body, bool statusOnly)
    {
        if (body.At("metadata", "uid").String() is { Length: > 0 } uid)
            throw StatusException.Conflict(type, name, $"StorageError: invalid object, Code: 4, Key: {name}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: ");
        if (statusOnly || !type.CreatesOnUpdate)
            throw StatusException.NotFound(type, name);
        ((JsonObject)body["metadata"]!).Remove("resourceVersion");
    }

    /// <param name="apply">Makes the patched object from the current one; may be called again after a conflict.</param>
    public async ValueTask<StoredObject> PatchAsync(ResourceType type, string? ns, string name, bool statusOnly, Func<JsonObject, JsonObject> apply, WriteOptions options)
    {
        for (var attempt = 0; attempt < PatchAttempts; attempt++)
        {
            var old = Get(type, ns, name);
            options.Warnings?.Clear();
            var body = Decode(type, ns, apply(old.Parse()), options);
            if (body.At("metadata", "name").String() != name)
                throw StatusException.Invalid(type, name, [FieldError.Invalid("metadata.name", body.At("metadata", "name"), "field is immutable")]);
            if (await ReplaceAsync(type, old, body, statusOnly, options) is { } result)
                return result;
        }
        throw StatusException.Modified(type, name);
    }

    /// <param name="ofCollection">Webhooks are told no name then.</param>
    public async ValueTask<StoredObject> DeleteAsync(ResourceType type, string? ns, string name, string? uid, string? version, WriteOptions options, bool ofCollection = false)
    {
        while (true)
        {
            var old = Get(type, ns, name);
            if (uid is not null && uid != old.Uid)
                throw StatusException.Conflict(type, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.Uid}");
            if (version is not null && version != old.ResourceVersion.ToString())
                throw StatusException.Conflict(type, name, $"Precondition failed: ResourceVersion in precondition: {version}, ResourceVersion in object meta: {old.ResourceVersion}");
            if (type == BuiltInTypes.Namespace && name is "default" or "kube-system" or "kube-public" && type == BuiltInTypes.Namespace)
                throw StatusException.Forbidden($"namespaces \"{name}\" is forbidden: this namespace may not be deleted");
            await AdmitAsync(type, AdmissionAttributes.Delete, ns, ofCollection ? "" : name, null, null, old, options);
            if (options.Admission is { IsJudged: true })
                Judge(new(type, null, ns, ofCollection ? "" : name, AdmissionAttributes.Delete, null, old.Parse(), options.DryRun), options);
            if (options.DryRun)
                return old;
            if (!store.TryCommit(type, ns, name, old, null, null, out var result))
                continue;
            AfterDelete(type, old);
            garbage?.AfterDelete(old, options.Orphans);
            return result!;
        }
    }

    private void AfterDelete(ResourceType type, StoredObject old)
    {
        if (type == BuiltInTypes.Namespace)
        {
            // A real server's namespace controller would ask the webhooks about each.
            foreach (var other in catalog.All.Where(t => t.Namespaced).DistinctBy(t => t.StorageName))
                Empty(other, old.Name);
        }
        else if (type == BuiltInTypes.CustomResourceDefinition
            && catalog.All.FirstOrDefault(t => t.QualifiedName == old.Name && t.IsCustom) is { } custom)
        {
            Empty(custom, null);
            catalog.Remove(custom);
            store.CloseWatches(custom);
        }
    }

    private void Empty(ResourceType type, string? ns)
    {
        foreach (var item in ObjectTable.Range(store.Table(type).Objects, ns, null).ToArray())
            if (store.TryCommit(type, item.Namespace, item.Name, item, null, null, out _))
                garbage?.AfterDelete(item);
    }

    /// <summary>Null if another writer came between. An update that changes nothing writes nothing.</summary>
    private async ValueTask<StoredObject?> ReplaceAsync(ResourceType type, StoredObject old, JsonObject body, bool statusOnly, WriteOptions options)
    {
        var before = old.Parse();
        body = await AdmitAsync(type, AdmissionAttributes.Update, old.Namespace, old.Name, statusOnly ? "status" : null, body, old, options);
        var metadata = body.Child("metadata");
        if (metadata["name"].String() != old.Name)
            throw StatusException.Invalid(type, old.Name, [FieldError.Invalid("metadata.name", metadata["name"], "field is immutable")]);
        if (metadata["resourceVersion"].String() is { Length: > 0 } version && version != "0" && version != old.ResourceVersion.ToString())
            throw StatusException.Modified(type, old.Name);
        if (metadata["uid"].String() is { Length: > 0 } uid && uid != old.Uid)
            throw StatusException.Conflict(type, old.Name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.Uid}");
        if (statusOnly)
        {
            var status = body["status"]?.DeepClone();
            var now = (JsonObject)metadata.DeepClone();
            body = (JsonObject)before.DeepClone();
            // Built-in kinds let whoever writes a status change labels and annotations too (podStatusStrategy, nodeStatusStrategy).
            if (!type.IsCustom)
            {
                foreach (var name in (string[])["labels", "annotations"])
                {
                    body.Child("metadata").Remove(name);
                    if (now[name] is { } value)
                        body.Child("metadata")[name] = value.DeepClone();
                }
            }

            body["status"] = status;
            if (status is null)
                body.Remove("status");
        }
        else
        {
            Metadata.KeepServerFields(metadata, (JsonObject)before["metadata"]!);
            if (type.HasStatus)
            {
                body.Remove("status");
                if (before["status"] is { } status)
                    body["status"] = status.DeepClone();
            }
        }
        if (type.Allocate is null)
            return Keep(type, old, before, body, statusOnly, options);
        lock (allocating)
            return Keep(type, old, before, body, statusOnly, options);
    }

    private StoredObject? Keep(ResourceType type, StoredObject old, JsonObject before, JsonObject body, bool statusOnly, WriteOptions options)
    {
        Validate(type, old.Name, body, before);
        var changed = type == BuiltInTypes.CustomResourceDefinition && !statusOnly ? Establish(body) : null;
        body.Child("metadata")["resourceVersion"] = before["metadata"]!["resourceVersion"]!.DeepClone();
        Judge(new(type, statusOnly ? "status" : null, old.Namespace, old.Name, AdmissionAttributes.Update, body, before, options.DryRun), options);
        if (JsonNode.DeepEquals(before, body))
            return old;
        if (type.HasGeneration && !statusOnly && !(SameSpec(type, before, body) && (!type.GenerationCountsLabels || SameLabels(before, body))))
            body.Child("metadata")["generation"] = (before["metadata"]!["generation"]?.GetValue<long>() ?? 0) + 1;
        if (options.DryRun)
            return StoredObject.From(body, type, old.ResourceVersion);
        if (!store.TryCommit(type, old.Namespace, old.Name, old, body, null, out var result))
            return null;
        if (changed is not null)
            catalog.Set(changed);
        garbage?.AfterWrite(type, result!);
        return result;
    }

    /// <summary>The object as admission leaves it. No lock is held: what was true of the stored object before may have changed meanwhile.</summary>
    private static async ValueTask<JsonObject> AdmitAsync(ResourceType type, string operation, string? ns, string name, string? subresource,
        JsonObject? body, StoredObject? old, WriteOptions options)
    {
        if (options.Admission is not { IsNeeded: true } admission)
            return body ?? [];
        var changed = await admission.AdmitAsync(new(type, subresource, ns, name, operation, body, old?.Parse(), options.DryRun));
        // What a webhook adds that the schema does not know is dropped in silence.
        return changed is null ? body ?? [] : Decode(type, ns, changed, WriteOptions.Default);
    }

    /// <summary>Validating admission: of what is about to be stored, after all checks.</summary>
    private static void Judge(AdmissionAttributes request, WriteOptions options)
    {
        if (options.Admission is { IsJudged: true } admission)
            admission.Judge(request);
    }

    private static bool SameSpec(ResourceType type, JsonObject before, JsonObject after) => before.Select(f => f.Key).Union(after.Select(f => f.Key))
        .Where(f => f != "metadata" && !(f == "status" && type.HasStatus))
        .All(f => JsonNode.DeepEquals(before[f], after[f]));

    private static bool SameLabels(JsonObject before, JsonObject after) => JsonNode.DeepEquals(before.At("metadata", "labels"), after.At("metadata", "labels"));

    /// <summary>From what the client sent to an object of this type: identity checked, unknown fields pruned, defaults set.</summary>
    private static JsonObject Decode(ResourceType type, string? ns, JsonObject body, WriteOptions options)
    {
        if (body["kind"].String() is not { Length: > 0 } kind)
            throw StatusException.BadRequest("Object 'Kind' is missing");
        if (kind != type.Kind || body["apiVersion"].String() != type.ApiVersion)
            throw StatusException.BadRequest($"{kind} in version \"{body["apiVersion"].String()}\" cannot be handled as a {type.Kind}: the API version in the data ({body["apiVersion"].String()}) does not match the expected API version ({type.ApiVersion})");
        var unknown = new List<string>();
        var metadata = Metadata.Clean(body, unknown);
        var given = metadata["namespace"].String();
        if (given is { Length: > 0 } && given != ns)
            throw StatusException.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        metadata.Remove("namespace");
        if (ns is not null)
            metadata["namespace"] = ns;
        foreach (var name in body.Select(f => f.Key).Except(["apiVersion", "kind", "metadata"]).ToArray())
        {
            if (type.Schema.Child(name) is { } child)
                SchemaPruner.Prune(body[name], child, name, unknown);
            else if (!type.Schema.PreserveUnknownFields)
            {
                unknown.Add(name);
                body.Remove(name);
            }
        }
        if (options.Strict && unknown.Count > 0)
            throw StatusException.BadRequest($"{type.Kind} in version \"{type.Version}\" cannot be handled as a {type.Kind}: strict decoding error: {string.Join(", ", unknown.Select(u => $"unknown field \"{u}\""))}");
        options.Warnings?.AddRange(unknown.Select(u => $"unknown field \"{u}\""));
        type.Normalize?.Invoke(body);
        SchemaPruner.ApplyDefaults(body, type.Schema);
        return body.At("apiVersion").String() == "events.k8s.io/v1" ? CheckedEvent(type, body) : body;
    }

    private static JsonObject CheckedEvent(ResourceType type, JsonObject body)
    {
        var errors = SchemaValidator.Validate(body, type.Schema, "");
        return errors.Count == 0 ? EventConversion.ToCore(body) : throw StatusException.Invalid(type, body.At("metadata", "name").String() ?? "", errors);
    }

    private void Validate(ResourceType type, string name, JsonObject body, JsonObject? old)
    {
        var errors = new List<FieldError>();
        Names.Validate((JsonObject)body["metadata"]!, type, errors);
        var schema = type.StorageName == "events" ? BuiltInTypes.Event.Schema : type.Schema;
        var faults = SchemaValidator.Validate(body, schema, "");
        if (faults.TrueForAll(f => f.Reason == "FieldValueInvalid"))
            CelEvaluator.Validate(body, old, schema, "", faults);
        else if (schema.HasRules)
            faults.Add(new("FieldValueInvalid", "<nil>", "Invalid value: \"null\": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"));
        errors.AddRange(faults);
        if (type.StorageName == "events" && body.At("involvedObject", "namespace").String() is var about && about != body.At("metadata", "namespace").String()
            && !(string.IsNullOrEmpty(about) && body.At("metadata", "namespace").String() == "default"))
            errors.Add(FieldError.Invalid("involvedObject.namespace", about, "does not match event.namespace"));
        if (errors.Count == 0)
            type.Allocate?.Invoke(allocation, body, old, errors);
        if (errors.Count == 0 || type.Allocate is null && faults.Count == 0)
            type.Check?.Invoke(body, old, errors);
        if (errors.Count > 0)
            throw StatusException.Invalid(type, name, errors);
        type.Canonicalize?.Invoke(body);
    }

    private static void SetInitialState(ResourceType type, JsonObject body)
    {
        if (type == BuiltInTypes.Namespace)
        {
            body.Child("metadata").Child("labels")["kubernetes.io/metadata.name"] = body["metadata"]!["name"].String();
            body.Child("spec")["finalizers"] = new JsonArray("kubernetes");
            body.Child("status")["phase"] = "Active";
        }
        else if (type == BuiltInTypes.Pod)
        {
            body.Child("status")["phase"] = "Pending";
        }
        else if (type == BuiltInTypes.Service)
        {
            body.Child("status")["loadBalancer"] = new JsonObject();
        }
    }

    private ResourceType Establish(JsonObject crd)
    {
        var errors = new List<FieldError>();
        var custom = CustomResources.Read(crd, errors);
        if (custom is not null && catalog.Rival(custom) is { } rival)
            throw StatusException.NotImplemented($"two resources of one kind: {rival.QualifiedName} and {custom.QualifiedName}");
        if (custom is null || errors.Count > 0)
            throw StatusException.Invalid(BuiltInTypes.CustomResourceDefinition, crd.At("metadata", "name").String() ?? "", errors);
        CustomResources.Establish(crd);
        return custom;
    }
}
