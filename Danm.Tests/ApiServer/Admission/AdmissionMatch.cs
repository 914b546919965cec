using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>Which writes a webhook or a policy is about: one of the rules and both selectors.</summary>
public sealed class AdmissionMatch(JsonNode? rules, JsonNode? namespaceSelector, JsonNode? objectSelector)
{
    private readonly AdmissionRule[] rules = [.. (rules as JsonArray ?? []).Select(r => AdmissionRule.Read(r!))];
    private readonly ObjectSelector namespaces = new(namespaceSelector);
    private readonly ObjectSelector objects = new(objectSelector);

    /// <param name="request">The write.</param>
    /// <param name="store">Where its Namespace is looked up, if a selector needs it.</param>
    public bool Matches(AdmissionAttributes request, ObjectStore store)
    {
        if (!rules.Any(r => r.Matches(request)))
            return false;
        if (!objects.IsEmpty && !(Selected(request.Object) || Selected(request.OldObject)))
            return false;
        if (namespaces.IsEmpty || request is { Namespace: null, IsNamespace: false })
            return true;
        // A Namespace that is being written is judged by its own new labels.
        var place = request.IsNamespace && request.Object is { } own ? own : NamespaceOf(request, store);
        return namespaces.Matches(place["metadata"]);
    }

    private bool Selected(JsonObject? candidate) => candidate is not null && objects.Matches(candidate["metadata"]);

    private static JsonObject NamespaceOf(AdmissionAttributes request, ObjectStore store)
    {
        var name = request.IsNamespace ? request.Name : request.Namespace!;
        return store.Table(BuiltInTypes.Namespace).Find(null, name)?.Parse() ?? throw StatusException.NotFound(BuiltInTypes.Namespace, name);
    }
}
