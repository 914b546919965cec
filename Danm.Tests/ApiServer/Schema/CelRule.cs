using Cel;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>One entry of <c>x-kubernetes-validations</c>.</summary>
public sealed record CelRule(string Rule, string? Message, string Reason, string? FieldPath, CelProgramDelegate Program, CelProgramDelegate? MessageProgram)
{
    /// <summary>A transition rule: checked on updates only, where an old value is.</summary>
    public bool UsesOldSelf { get; init; }
}
