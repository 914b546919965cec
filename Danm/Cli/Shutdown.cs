using System.Runtime.InteropServices;

namespace Danm.Cli;

/// <summary>SIGTERM or SIGINT asks a long-lived mode to end what it is at; a second one ends the process at once.</summary>
internal sealed class Shutdown : IDisposable
{
    private readonly CancellationTokenSource requested = new();
    private readonly PosixSignalRegistration[] registrations;

    public Shutdown() => registrations = [Register(PosixSignal.SIGTERM), Register(PosixSignal.SIGINT)];

    /// <summary>Cancelled at the first signal.</summary>
    public CancellationToken Requested => requested.Token;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        requested.Dispose();
    }

    private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        // Left alone, the signal does what it always does.
        context.Cancel = !requested.IsCancellationRequested;
        requested.Cancel();
    });
}
