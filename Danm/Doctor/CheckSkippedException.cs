namespace Danm.Doctor;

/// <summary>Something cannot be looked at from here.</summary>
/// <param name="message">Why.</param>
/// <param name="advice">From where it can be; null if that is said by another check.</param>
internal sealed class CheckSkippedException(string message, string? advice = null) : Exception(message)
{
    public string? Advice { get; } = advice;
}
