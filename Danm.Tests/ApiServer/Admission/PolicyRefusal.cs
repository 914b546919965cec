using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>What a policy has against a request.</summary>
/// <param name="Reason">Unauthorized, Forbidden, Invalid or RequestEntityTooLarge.</param>
public sealed record PolicyRefusal(string Reason, string Message)
{
    /// <summary>The refusal as the client gets it.</summary>
    public StatusException Denial(AdmissionAttributes request, string policy, string binding)
    {
        var (type, why) = (request.Type, $"ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {Message}");
        var name = request.Name.Length > 0 ? request.Name : request.Object.At("metadata", "name").String() is { Length: > 0 } made ? made : "Unknown";
        var details = new JsonObject
        {
            ["name"] = name, ["group"] = type.Group, ["kind"] = type.Plural,
            ["causes"] = new JsonArray(new JsonObject { ["message"] = why }),
        };
        return new StatusException(Code, Reason, $"{type.QualifiedName} \"{name}\" is forbidden: {why}", details);
    }

    private int Code => Reason switch { "Forbidden" => 403, "Unauthorized" => 401, "RequestEntityTooLarge" => 413, _ => 422 };
}
