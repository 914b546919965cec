using System.Diagnostics;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>What a controller brings about in its own time.</summary>
internal static class Eventually
{
    /// <summary>Runs a script on a node until what it prints, errors included, is as expected.</summary>
    public static Task ShellAsync(ICniNode node, string script, Action<string> expect, int seconds = 15) =>
        HoldsAsync(async () => expect(await node.ShellAsync($"{{ {script}; }} 2>&1 || true")), seconds);

    /// <summary>Looks until nothing is wrong; the last complaint is the failure.</summary>
    public static async Task HoldsAsync(Func<Task> look, int seconds = 15)
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
                await Task.Delay(100);
            }
        }
    }
}
