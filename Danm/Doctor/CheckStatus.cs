namespace Danm.Doctor;

/// <summary>What a finding means to whoever looks, in rising order of need to act.</summary>
internal enum CheckStatus
{
    /// <summary>It is as it should be.</summary>
    Ok,

    /// <summary>Nothing is wrong with it; good to know.</summary>
    Info,

    /// <summary>It could not be looked at from here, or not with these rights.</summary>
    Skipped,

    /// <summary>It works, but will not for ever, or not for all.</summary>
    Warning,

    /// <summary>Something does not work, or could not be found out though it should.</summary>
    Failed,
}
