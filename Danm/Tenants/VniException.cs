namespace Danm.Tenants;

/// <summary>No id can be had.</summary>
public sealed class VniException : Exception
{
    /// <param name="message">For the tenant: why, and what helps.</param>
    /// <param name="isTemporary">Whether the same request may succeed in a while without anybody doing anything.</param>
    public VniException(string message, bool isTemporary)
        : base(message) => IsTemporary = isTemporary;

    /// <summary>Whether the same request may succeed in a while without anybody doing anything.</summary>
    public bool IsTemporary { get; }
}
