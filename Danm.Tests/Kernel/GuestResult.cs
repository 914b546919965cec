namespace Danm.Tests.Kernel;

/// <summary>How a command in a guest ended.</summary>
/// <param name="ExitCode">128 and the signal, if one ended it.</param>
internal sealed record GuestResult(int ExitCode, string Stdout, string Stderr);
