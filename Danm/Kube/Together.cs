namespace Danm.Kube;

/// <summary>The parts of a long-lived program.</summary>
internal static class Together
{
    /// <summary>Until all have ended; one that breaks ends the others, since half a program would look like a whole one.</summary>
    public static async Task RunAsync(CancellationTokenSource stop, params Task?[] parts)
    {
        var running = parts.OfType<Task>().ToList();
        if (await Task.WhenAny(running).ConfigureAwait(false) is { IsFaulted: true })
            await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ConfigureAwait(false);
    }
}
