using Danm.Kube;
using Danm.State;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary><c>danm netwatcher --once</c>, and <c>--dry-run</c>: one look, for people and scripts.</summary>
internal sealed class SingleLook(ApiClient api, NetwatcherOptions options, ILogger log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Looks once, when everything that exists is known.</summary>
    /// <param name="apply">Whether to do it, or only to say what would be done.</param>
    /// <param name="output">Gets a line for each step and each problem.</param>
    /// <param name="cancellation">Ends the wait for the API server.</param>
    /// <exception cref="TimeoutException">Not everything was known after a minute; it says what.</exception>
    /// <returns>Whether every network has its interface; those that this node lacks the device of do not count.</returns>
    public async Task<bool> RunAsync(bool apply, TextWriter output, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var complete = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var trouble = new ApiTrouble(log.ApiFailed, TimeProvider.System);
        NetworkWishes wishes = null!;
        TunnelEndpoints? endpoints = null;
        wishes = new NetworkWishes(api, options.NodeName, NoteIfComplete, trouble.Tell);
        endpoints = options.Multicast ? null : new TunnelEndpoints(api, options.NodeName, NoteIfComplete, trouble.Tell);
        var watching = Task.WhenAll(wishes.RunAsync(stop.Token), endpoints?.RunAsync(stop.Token) ?? Task.CompletedTask);
        await Task.WhenAny(complete.Task, watching, Task.Delay(Patience, cancellation)).ConfigureAwait(false);
        if (!complete.Task.IsCompleted)
            throw new TimeoutException($"not known after {Patience.TotalSeconds:0} s: {string.Join(", ", wishes.Unknown)}");

        var (wanted, problems, rewrites) = wishes.Read();
        var reconciler = new HostReconciler(options.Multicast, TimeSpan.Zero);
        var plan = reconciler.Plan(wanted, await wishes.ReadInUseAsync(reconciler.Adopted, cancellation).ConfigureAwait(false), isComplete: !HostLoop.IsAddAtWork(new NodeState()), out _);
        problems.AddRange(plan.Problems);
        var steps = 0;
        if (apply)
            problems.AddRange(reconciler.Apply(plan, Say));
        else
            plan.Steps.ToList().ForEach(Say);
        if (endpoints is not null)
        {
            var flooding = new UnicastFlooding(endpoints);
            foreach (var change in flooding.Plan())
            {
                if (apply)
                    UnicastFlooding.Apply(change);
                Say(change);
            }

            if (apply)
                await endpoints.PublishAsync(flooding.Own, cancellation).ConfigureAwait(false);
        }

        var writer = new DefinitionWriter(api, TimeSpan.Zero, message => problems.Add(new("the API server", message)), log, TimeProvider.System);
        foreach (var definition in apply ? await writer.WriteAsync(rewrites, cancellation).ConfigureAwait(false) : rewrites)
            Say($"lead {definition.Name} to {definition.Rewrite!.Target}");

        await stop.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        foreach (var problem in problems)
            output.WriteLine($"{problem.Network}: {problem.Message}");
        if (steps == 0 && problems.Count == 0)
            output.WriteLine("nothing to do");
        return problems.TrueForAll(p => p.IsLocal);

        void Say(object step)
        {
            steps++;
            output.WriteLine(apply ? $"{step}" : $"{step} (dry run)");
        }

        void NoteIfComplete()
        {
            if (wishes.IsComplete && endpoints?.IsComplete != false)
                complete.TrySetResult();
        }
    }
}
