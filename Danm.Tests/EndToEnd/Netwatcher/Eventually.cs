using System.Diagnostics;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>Waits for a node to become what is expected.</summary>
internal static class Eventually
{
    /// <summary>Runs a script until its output, errors included, is as expected; fails as the last time did. Gives the time that it took.</summary>
    public static async Task<TimeSpan> EventuallyAsync(this ICniNode node, string script, Action<string> expect, double seconds = 15)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var text = await node.ShellAsync($"{{ {script}; }} 2>&1 || true");
            var elapsed = watch.Elapsed;
            try
            {
                expect(text);
                return elapsed;
            }
            catch (AssertionException) when (elapsed < TimeSpan.FromSeconds(seconds))
            {
                await Task.Delay(50);
            }
        }
    }
}
