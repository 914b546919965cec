using System.Diagnostics;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Demo;

/// <summary><c>demo</c>: Danm at work, from networks and Pods in an API server to interfaces that ping, and back to nothing.</summary>
public static class DemoProgram
{
    /// <returns>0, or 1 if any step failed.</returns>
    public static async Task<int> RunAsync()
    {
        var watch = Stopwatch.StartNew();
        var console = DemoConsole.Create();
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            stop.Cancel();
        };

        try
        {
            if (!File.Exists(DanmBinary.Path))
                throw new DemoException($"{DanmBinary.Path} is missing: ./build.sh --target=Demo publishes it first");
            await using var demo = new DemoScenario(console);
            await demo.RunAsync().WaitAsync(stop.Token);
        }
        catch (Exception e)
        {
            console.Failed(e switch
            {
                DemoException => e.Message,
                OperationCanceledException => "stopped",
                _ => e.ToString(),
            });
            return 1;
        }

        console.Passed(watch.Elapsed);
        return 0;
    }
}
