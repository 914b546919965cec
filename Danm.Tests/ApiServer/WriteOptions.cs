using Danm.Tests.ApiServer.Admission;

namespace Danm.Tests.ApiServer;

/// <summary>How a write is to be done.</summary>
/// <param name="Strict">fieldValidation=Strict: unknown fields are a 400, else they are dropped and named in <paramref name="Warnings"/>.</param>
/// <param name="Warnings">Null: fieldValidation=Ignore.</param>
/// <param name="Admission">Null: no webhook and no policy is asked.</param>
/// <param name="Orphans">What a deleted object owned is nobody's then, and stays.</param>
public sealed record WriteOptions(bool DryRun = false, bool Strict = false, List<string>? Warnings = null, RequestAdmission? Admission = null, bool Orphans = false)
{
    public static readonly WriteOptions Default = new();
}
