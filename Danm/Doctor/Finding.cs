namespace Danm.Doctor;

/// <summary>One thing that a check has found.</summary>
/// <param name="Status">How bad it is.</param>
/// <param name="Found">What is so; may quote foreign text.</param>
/// <param name="Advice">What to do about it; null where there is nothing to do.</param>
internal sealed record Finding(CheckStatus Status, string Found, string? Advice = null)
{
    public static Finding Ok(string found) => new(CheckStatus.Ok, found);

    public static Finding Info(string found, string? advice = null) => new(CheckStatus.Info, found, advice);

    public static Finding Warning(string found, string advice) => new(CheckStatus.Warning, found, advice);

    public static Finding Failed(string found, string advice) => new(CheckStatus.Failed, found, advice);
}

/// <summary>What a check came to.</summary>
/// <param name="Check">The check's name.</param>
/// <param name="Scope">node or cluster.</param>
/// <param name="Findings">At least one; safe for terminals.</param>
internal sealed record CheckResult(string Check, string Scope, IReadOnlyList<Finding> Findings);
