using Danm.Api;
using Danm.Cni;
using Danm.Networks;

namespace Danm.Webhook;

/// <summary>What is answered to a review.</summary>
internal sealed record Decision
{
    // The API server cuts a warning at 256 characters where all together have more than 4096.
    private const int MaxWarning = 250, MostWarnings = 16, MaxMessage = 4000, MostCauses = 50;

    private Decision()
    {
    }

    public bool IsAllowed { get; private init; }

    public Status? Status { get; private init; }

    public IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>JSON Patch; null: nothing changes.</summary>
    public byte[]? Patch { get; init; }

    public static Decision Allow(IEnumerable<string>? warnings = null, byte[]? patch = null) => new() { IsAllowed = true, Warnings = Bound(warnings), Patch = patch };

    /// <summary>Denied for what is wrong with the object, all of it at once; kubectl shows each cause on a line of its own.</summary>
    public static Decision Invalid(AdmissionRequest request, IReadOnlyList<NetworkFault> faults, IEnumerable<string>? warnings = null) => new()
    {
        Warnings = Bound(warnings),
        Status = new Status
        {
            Outcome = "Failure",
            Code = 422,
            Reason = "Invalid",
            Message = CniText.Clean(string.Join("; ", faults), MaxMessage),
            Details = new StatusDetails
            {
                Group = request.Kind?.Group,
                Kind = request.Kind?.Kind,
                Name = request.Name is { } name ? CniText.Clean(name, 253) : null,
                Causes = [.. faults.Take(MostCauses).Select(f => new StatusCause
                {
                    Reason = f.Value is null ? "FieldValueRequired" : "FieldValueInvalid",
                    Field = CniText.Clean(f.Field, 200),
                    Message = CniText.Clean(f.Value is null ? f.Message : $"\"{CniText.Clean(f.Value, 300)}\" {f.Message}", 500),
                })],
            },
        },
    };

    /// <summary>Denied for another reason.</summary>
    /// <param name="code">The HTTP status that the user gets.</param>
    /// <param name="reason">Kubernetes' word for it.</param>
    /// <param name="message">Why, and what to do.</param>
    /// <param name="warnings">Besides.</param>
    public static Decision Deny(int code, string reason, string message, IEnumerable<string>? warnings = null) => new()
    {
        Warnings = Bound(warnings),
        Status = new Status { Outcome = "Failure", Code = code, Reason = reason, Message = CniText.Clean(message, MaxMessage) },
    };

    /// <summary>As the API server reads it.</summary>
    public AdmissionResponse ToResponse(string? uid) => new()
    {
        Uid = uid,
        Allowed = IsAllowed,
        Status = Status,
        Patch = Patch,
        PatchType = Patch is null ? null : "JSONPatch",
        Warnings = Warnings.Count == 0 ? null : [.. Warnings],
    };

    private static List<string> Bound(IEnumerable<string>? warnings)
    {
        var all = (warnings ?? []).Select(w => CniText.Clean(w, MaxWarning)).ToList();
        return all.Count <= MostWarnings ? all : [.. all.Take(MostWarnings), $"and {all.Count - MostWarnings} more"];
    }
}
