namespace Danm.Tests.Kernel;

/// <summary>A guest did not boot or ended early, or a command in it failed; the message holds what both printed.</summary>
internal class GuestException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>A command in a guest took too long, and was killed.</summary>
internal sealed class GuestTimeoutException(string message) : GuestException(message);
