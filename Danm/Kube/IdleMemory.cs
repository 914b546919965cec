namespace Danm.Kube;

/// <summary>Gives back what the lists of a start have left behind: a program that then mostly waits never asks for it again, and it is the node's.</summary>
internal static class IdleMemory
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);

    /// <summary>Collects once things have settled, and again and again if so asked, until it is cancelled. It takes a moment in which nothing else runs.</summary>
    /// <param name="every">How often after the first time; null: never.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task TrimAsync(TimeSpan? every, CancellationToken cancellation)
    {
        for (TimeSpan? pause = Settling; pause is { } time && !cancellation.IsCancellationRequested; pause = every)
        {
            await Task.Delay(time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!cancellation.IsCancellationRequested)
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
