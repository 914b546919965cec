using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>What a webhook said.</summary>
/// <param name="Status">A <c>meta.k8s.io/v1 Status</c> that explains a denial.</param>
/// <param name="Patch">The text of the patch, empty for none.</param>
public sealed record AdmissionAnswer(bool Allowed, JsonObject? Status, byte[] Patch, string? PatchType, string[] Warnings)
{
    /// <summary>The refusal as the client gets it: 400 unless the webhook gave a code of an error.</summary>
    public StatusException Denial(string webhook)
    {
        var code = Status?["code"]?.GetValue<int>() ?? 0;
        var reason = Status?["reason"].String() ?? "";
        var why = Status?["message"].String() is { Length: > 0 } message ? $": {message}" : reason.Length > 0 ? $": {reason}" : " without explanation";
        return new StatusException(Math.Max(code, 400), reason, $"admission webhook \"{webhook}\" denied the request{why}", Status?["details"]?.DeepClone() as JsonObject);
    }
}
