using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>One write as webhooks are told of it.</summary>
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

    public bool IsNamespace => Type == BuiltInTypes.Namespace;
}
