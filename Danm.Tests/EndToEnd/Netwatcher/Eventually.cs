using System.Diagnostics;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>Waits for what a controller brings about in its own time.</summary>
internal static class Eventually
{
    /// <summary>Runs a script until its output, errors included, is as expected; fails as the last time did. Gives the time that it took.</summary>
    public static async Task<TimeSpan> EventuallyAsync(this ICniNode node, string script, Action<string> expect, double seconds = 15)
    {
        var elapsed = TimeSpan.Zero;
        var watch = Stopwatch.StartNew();
        await HoldsAsync(
            async () =>
            {
                var text = await node.ShellAsync($"{{ {script}; }} 2>&1 || true");
                elapsed = watch.Elapsed;
                expect(text);
            },
            seconds);
        return elapsed;
    }

    /// <summary>Looks until nothing is wrong.</summary>
    public static Task HoldsAsync(Action look, double seconds = 15) => HoldsAsync(
        () =>
        {
            look();
            return Task.CompletedTask;
        },
        seconds);

    /// <inheritdoc cref="HoldsAsync(Action, double)"/>
    public static async Task HoldsAsync(Func<Task> look, double seconds = 15)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await look();
                return;
            }
            catch (AssertionException) when (watch.Elapsed < TimeSpan.FromSeconds(seconds))
            {
                await Task.Delay(50);
            }
        }
    }
}
