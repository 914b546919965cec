using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// Holds the answers to some requests until as many as expected wait for one: requests that are sent one after the other never get
/// there, and go on after a while.
/// </summary>
internal sealed class Gathering
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();
    private int arrived;
    private int waiting;

    /// <param name="node">Whose API server.</param>
    /// <param name="expected">How many.</param>
    /// <param name="kinds">Each a verb and a resource.</param>
    public Gathering(GuestNode node, int expected, params string[] kinds)
    {
        (What, Expected) = (string.Join(", ", kinds), expected);
        node.Server.Faults.Add(new Fault(r => kinds.Contains($"{r.Verb} {r.Resource}")) { Hold = HoldAsync });
    }

    public string What { get; }

    public int Expected { get; }

    /// <summary>How many of the first go on without waiting.</summary>
    public int Skip { get; init; }

    /// <summary>The most that waited at once.</summary>
    public int Most { get; private set; }

    private async Task HoldAsync()
    {
        lock (gate)
        {
            if (arrived++ < Skip)
                return;
            Most = Math.Max(Most, ++waiting);
            if (waiting == Expected)
                complete.TrySetResult();
        }

        await Task.WhenAny(complete.Task, Task.Delay(Patience));
        lock (gate)
            waiting--;
    }
}
