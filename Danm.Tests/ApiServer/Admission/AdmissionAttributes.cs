using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>One write as webhooks and policies are told of it.</summary>
/// <param name="Name">Empty where the client left it to the server: under generateName, or for each object of a collection that is deleted.</param>
/// <param name="Operation">CREATE, UPDATE or DELETE.</param>
/// <param name="Object">Null on DELETE.</param>
/// <param name="OldObject">The stored one; null on CREATE.</param>
public sealed record AdmissionAttributes(
    ResourceType Type, string? Subresource, string? Namespace, string Name, string Operation, JsonObject? Object, JsonObject? OldObject, bool DryRun)
{
    public const string Create = "CREATE";
    public const string Update = "UPDATE";
    public const string Delete = "DELETE";

    /// <summary>Of what is written: a subresource's need not be its parent's.</summary>
    public (string Group, string Version, string Kind) Kind => (Object ?? OldObject)?["apiVersion"].String()?.Split('/') is { } version
        ? (version.Length > 1 ? version[0] : "", version[^1], (Object ?? OldObject)!["kind"].String() ?? Type.Kind)
        : (Type.Group, Type.Version, Type.Kind);

    public bool IsNamespace => Type == BuiltInTypes.Namespace;
}
