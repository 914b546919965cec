using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>
/// The admission plugin OwnerReferencesPermissionEnforcement, which kube-apiserver has off by default and some distributions have on: who
/// changes an object's owners may delete it, and who lets it block an owner's deletion may write the owner's finalizers.
/// </summary>
public sealed class OwnerReferencePermissions(Authorizer authorizer, ResourceCatalog catalog)
{
    /// <exception cref="StatusException">403.</exception>
    public void Require(UserInfo user, AdmissionAttributes request)
    {
        if (user.MayAll || request.Object is null)
            return;
        var (before, after) = (OwnersOf(request.OldObject), OwnersOf(request.Object));
        if (JsonNode.DeepEquals(before, after))
            return;
        var type = request.Type;
        if (request.Operation != AdmissionAttributes.Create && !authorizer.Ask(user, request.Namespace, type.Group, type.Plural, request.Name, "delete"))
            throw Forbidden(request, "cannot set an ownerRef on a resource you can't delete");
        foreach (var owner in after.Where(Blocks).Where(o => !before.Any(b => Blocks(b) && b.At("uid").String() == o.At("uid").String())))
        {
            if (catalog.FindKind(owner.At("apiVersion").String(), owner.At("kind").String()) is not { } kind)
                throw Forbidden(request, $"cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion {owner.At("apiVersion")} Kind {owner.At("kind")}");
            if (!authorizer.Ask(user, kind.Namespaced ? request.Namespace : null, kind.Group, $"{kind.Plural}/finalizers", owner.At("name").String(), "update"))
                throw Forbidden(request, "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on");
        }
    }

    private static JsonArray OwnersOf(JsonObject? o) => o.At("metadata", "ownerReferences") as JsonArray ?? [];

    private static bool Blocks(JsonNode? owner) => owner.At("blockOwnerDeletion")?.GetValue<bool>() == true;

    private static StatusException Forbidden(AdmissionAttributes request, string why) =>
        StatusException.Forbidden($"{request.Type.QualifiedName} \"{request.Name}\" is forbidden: {why}");
}
