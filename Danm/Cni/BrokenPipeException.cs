namespace Danm.Cni;

/// <summary>Whoever read what is written reads no more, as <c>head</c> does when it has its lines.</summary>
/// <param name="message">What was written to.</param>
internal sealed class BrokenPipeException(string message) : IOException(message);
