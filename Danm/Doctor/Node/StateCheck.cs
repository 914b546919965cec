using System.Runtime.CompilerServices;
using Danm.State;

namespace Danm.Doctor.Node;

/// <summary>What the node remembers: journals that cannot be read, and releases that wait.</summary>
internal sealed class StateCheck(NodeView node, TimeProvider clock) : ICheck
{
    // A call begins a journal and writes its first record a moment later.
    private static readonly TimeSpan Beginning = TimeSpan.FromMinutes(10);

    // The next call on the node, and netwatcher within seconds, release what has waited.
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(15);

    /// <inheritdoc/>
    public string Id => "node-state";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        var state = node.State;
        if (!state.Exists && !state.Addresses.Exists)
        {
            yield return Finding.Ok($"danm has attached no Pod here yet: there is no journal in {state.Folder}");
            yield break;
        }

        if (FileStatus.Of(state.Folder).FaultOfFolder is { } fault)
            yield return Finding.Failed($"{state.Folder} {fault}: danm refuses to write there, and no Pod starts", "chown root, chmod 700, and look who changed it");
        var (journals, waiting, since) = (0, 0, DateTimeOffset.MaxValue);
        foreach (var (sight, path) in new[] { state, state.Addresses }.SelectMany(s => s.Survey().Select(j => (j, Path.Combine(s.Folder, "sandboxes", j.Key)))))
        {
            journals++;
            if (FaultOf(sight, path) is { } finding)
                yield return finding;
            if (sight.Last?.Phase == SandboxPhase.Deferred)
                (waiting, since) = (waiting + 1, sight.Written < since ? sight.Written : since);
        }

        var age = clock.GetUtcNow() - since;
        yield return waiting == 0 ? Finding.Ok($"{journals} journals can be read")
            : age < LongWait ? Finding.Info($"the release of {waiting} of {journals} sandboxes waits since {since:u}", "the next call or netwatcher does it")
            : Finding.Warning($"the release of {waiting} of {journals} sandboxes waits since {since:u}: their addresses are taken", "is the API server reachable (node-kubeconfig), does netwatcher run here and what does it log? 'danm ipam gc' says what is left");
    }

    private Finding? FaultOf(JournalSight sight, string path)
    {
        if (sight.Last is not null)
            return null;
        if (StateFile.TryPeek(path) is { } content && Journal.Read(content).Needs is > 0 and var needs)
            return Finding.Failed($"{path} was written by a later build of Danm (format {needs}), and this one must not act on it", "install that build again, or a later one");
        if (sight.IsDamaged)
            return Finding.Failed($"{path} cannot be read: what the sandbox has is known to the API server only", "its DEL, or 'danm ipam gc' on this node, releases it by its DanmEps; look whether the disk is sound");
        return clock.GetUtcNow() - sight.Written < Beginning ? null : Finding.Info($"{path} has no record: a call was ended as it began", "netwatcher removes it");
    }
}
