using Danm.HostLinks;
using Danm.Kube;
using Danm.Netlink;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// Keeps the host's VLAN and VxLAN interfaces in step with the networks of the cluster: looks at everything whenever anything has
/// changed, there or here, and does what is missing. Level-triggered: what was missed is made good at the next look.
/// </summary>
public sealed class NetwatcherMode(ApiClient api, NetwatcherOptions options, ILogger log)
{
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan MaxRetry = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim signal = new(0, 1);
    private readonly Dictionary<string, string> told = [];

    /// <summary>Runs until it is cancelled; the interfaces stay.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        log.Starts(options.NodeName);
        var wishes = new NetworkWishes(api, options.NodeName, Wake, log.ApiFailed);
        var reconciler = new HostReconciler(options.Multicast, options.Settle);
        var definitions = new DefinitionWriter(api, log);
        var watching = wishes.RunAsync(cancellation);
        var listener = ListenInBackground(cancellation);
        var failures = 0;
        while (!cancellation.IsCancellationRequested)
        {
            var next = Resync;
            try
            {
                var outcome = Look(wishes, reconciler, apply: true);
                failures = outcome.Failed ? failures + 1 : 0;
                next = outcome.Unsettled ? options.Settle : outcome.Failed ? Backoff(failures) : Resync;
                await definitions.WriteAsync(wishes.Definitions, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NetlinkException or IOException)
            {
                next = Backoff(++failures);
                log.HostFailed(e.Message, next.TotalSeconds);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            await WaitAsync(next, cancellation).ConfigureAwait(false);
        }

        await watching.ConfigureAwait(false);
        listener.Join();
        log.Ends();
    }

    /// <summary>Looks once, when everything that exists is known.</summary>
    /// <param name="apply">Whether to do it, or only to say what would be done.</param>
    /// <param name="output">Gets a line for each step and each problem.</param>
    /// <param name="cancellation">Ends the wait for the API server.</param>
    /// <returns>Whether every network has its interface; those that this node lacks the device of do not count.</returns>
    public async Task<bool> RunOnceAsync(bool apply, TextWriter output, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var complete = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        string? lastFailure = null;
        NetworkWishes wishes = null!;
        wishes = new NetworkWishes(api, options.NodeName, () => CompleteIf(wishes.IsComplete), failure => lastFailure = failure);
        var watching = wishes.RunAsync(stop.Token);
        await complete.Task.WaitAsync(cancellation).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);

        var (wanted, problems) = wishes.Read();
        var reconciler = new HostReconciler(options.Multicast, TimeSpan.Zero);
        var plan = reconciler.Plan(wanted, wishes.InUse(), isComplete: true, out _);
        problems.AddRange(plan.Problems);
        if (apply)
            problems.AddRange(reconciler.Apply(plan, step => output.WriteLine(step)));
        foreach (var step in apply ? [] : plan.Steps)
            output.WriteLine($"{step} (dry run)");
        foreach (var problem in problems)
            output.WriteLine($"{problem.Network}: {problem.Message}");
        if (plan.Steps.Count == 0 && problems.Count == 0)
            output.WriteLine("nothing to do");
        return problems.TrueForAll(p => p.IsLocal);

        void CompleteIf(bool isComplete)
        {
            if (isComplete)
                complete.TrySetResult();
        }
    }

    private (bool Failed, bool Unsettled) Look(NetworkWishes wishes, HostReconciler reconciler, bool apply)
    {
        // In this order: a network that goes is seen to go before its Pods' DanmEps are asked for.
        var isComplete = wishes.IsComplete;
        var (wanted, problems) = wishes.Read();
        var plan = reconciler.Plan(wanted, wishes.InUse(), isComplete, out var unsettled);
        problems.AddRange(plan.Problems);
        var failures = apply ? reconciler.Apply(plan, step => log.Did(step.ToString())) : [];
        Tell([.. problems, .. failures]);
        return (failures.Count > 0, unsettled > 0);
    }

    /// <summary>Each problem once, until it is another one or none.</summary>
    private void Tell(IReadOnlyList<LinkProblem> problems)
    {
        var now = problems.GroupBy(p => p.Network).ToDictionary(g => g.Key, g => string.Join("; ", g.Select(p => p.Message)));
        foreach (var (network, message) in now)
        {
            if (told.GetValueOrDefault(network) != message)
                log.HasProblem(network, message);
        }

        foreach (var network in told.Keys.Where(n => !now.ContainsKey(n)))
            log.Mended(network);
        told.Clear();
        foreach (var (network, message) in now)
            told[network] = message;
    }

    private Thread ListenInBackground(CancellationToken cancellation)
    {
        var thread = new Thread(() =>
        {
            using var monitor = LinkMonitor.Open();
            while (!cancellation.IsCancellationRequested)
            {
                if (monitor.Wait(TimeSpan.FromSeconds(1)))
                    Wake();
            }
        })
        {
            IsBackground = true,
            Name = "link monitor",
        };
        thread.Start();
        return thread;
    }

    private void Wake()
    {
        try
        {
            signal.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    // What changes together is looked at together.
    private async Task WaitAsync(TimeSpan most, CancellationToken cancellation)
    {
        try
        {
            if (await signal.WaitAsync(most, cancellation).ConfigureAwait(false))
            {
                await Task.Delay(Gather, cancellation).ConfigureAwait(false);
                await signal.WaitAsync(TimeSpan.Zero, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The caller looks.
        }
    }

    private static TimeSpan Backoff(int failures) => TimeSpan.FromSeconds(Math.Min(MaxRetry.TotalSeconds, Math.Pow(2, Math.Min(failures, 6)) * (0.5 + Random.Shared.NextDouble())));
}
