using Danm.Cni;
using Danm.Ipam;
using Danm.Kube;
using Danm.State;
using k8s;

namespace Danm.Calls;

/// <summary>One call of the runtime, with what every plugin of ours needs for it: the node's state, its log, the way to the API server.</summary>
/// <param name="request">The call.</param>
/// <param name="state">The node's state; null: where every node has it.</param>
/// <param name="kubeconfigKey">Which key of the configuration names the kubeconfig.</param>
internal class RuntimeCall(CniRequest request, NodeState? state = null, string kubeconfigKey = "kubeconfig")
{
    public CniRequest Request { get; } = request;

    public NodeState State { get; } = state ?? new NodeState();

    public CallLog Log { get; } = new(request);

    /// <summary>What this call's allocations cost; added to the node's counters when the call ends.</summary>
    public AllocationTally Tally { get; } = new();

    /// <summary>Takes back API objects that journals name.</summary>
    public virtual ClaimRelease ReleaseOfClaims(ApiClient? api) => new(api, Log, Request.Patience());

    /// <exception cref="KubeConfigException">It cannot be read.</exception>
    /// <exception cref="CniException">Code 7: the configuration names none.</exception>
    public KubernetesClientConfiguration LoadKubeConfig() => Request.Config.Kubeconfig is { Length: > 0 } path
        ? KubeConfig.Load(path)
        : throw new CniException(CniErrorCode.InvalidNetworkConfig, $"the CNI config has no \"{kubeconfigKey}\": name the file that danm reaches the API server with", kubeconfigKey);

    /// <inheritdoc cref="LoadKubeConfig"/>
    public ApiClient Connect() => new(LoadKubeConfig(), Request.Patience());

    /// <summary>The API server; null, and a line in the log, if there is no way to it.</summary>
    public ApiClient? TryConnect()
    {
        try
        {
            return Connect();
        }
        catch (Exception e) when (e is KubeConfigException or CniException)
        {
            Log.Warning("no way to the API server", ("cause", e.Message));
            return null;
        }
    }

    /// <summary>Whether there is a way to the API server, as far as the node itself knows: STATUS must not ask the server.</summary>
    /// <exception cref="CniException">Code 50: the kubeconfig is missing, or its token has ended.</exception>
    public async Task CheckAccessAsync(CancellationToken cancellation)
    {
        try
        {
            var configuration = LoadKubeConfig();
            var token = configuration.TokenProvider is { } provider
                ? (await provider.GetAuthenticationHeaderAsync(cancellation).ConfigureAwait(false)).Parameter
                : configuration.AccessToken;
            if (token is not null && TokenClaims.Read(token)?.ExpiresAt is { } end && end <= DateTimeOffset.UtcNow)
                throw new CniException(CniErrorCode.PluginNotAvailable, $"the token of kubeconfig \"{Request.Config.Kubeconfig}\" ended at {end:u}: is the installer's Pod running on this node?");
        }
        catch (Exception e) when (e is KubeConfigException or CniException { Code: CniErrorCode.InvalidNetworkConfig })
        {
            throw new CniException(CniErrorCode.PluginNotAvailable, e.Message, kubeconfigKey, e);
        }
    }

    /// <summary>Takes back what an ADD that failed has made. Has its own time budget: an ADD that has used up its time still cleans up.</summary>
    /// <param name="journal">The ADD's journal.</param>
    /// <param name="made">What was made, or may have been.</param>
    /// <param name="release">Releases what the journal's last record names.</param>
    public async Task RollBackAsync(Journal journal, SandboxRecord made, Func<CancellationToken, Task> release)
    {
        using var budget = new CancellationTokenSource(Request.Patience() * 2);
        try
        {
            try
            {
                journal.Write(made, durable: false);
            }
            catch (IOException e)
            {
                // A full disk may be why ADD failed. What was written before names no less.
                Log.Warning("the journal cannot say what was made: all that was to be made is taken back", ("cause", e.Message));
            }

            await release(budget.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The journal still names everything: the runtime's DEL, or GC, finds it.
            Log.Error("rollback is not complete", ("cause", e.Message));
        }
    }

    /// <summary>Does what the call asks for; what goes wrong is in the log, and is thrown as the runtime gets it.</summary>
    /// <exception cref="CniException">Whatever went wrong.</exception>
    public async Task RunAsync(Func<Task> command)
    {
        try
        {
            await command().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            var error = Errors.From(e);
            Log.Error("call failed", ("code", error.Code.ToString()), ("cause", error.Msg), ("details", error.Details));
            if (e is OperationCanceledException)
                throw;
            throw error;
        }
        finally
        {
            if (Tally is { Allocations: > 0 } or { Conflicts: > 0 } or { Exhausted: > 0 })
            {
                State.Counters.Add(
                    (NodeCounter.Allocations, Tally.Allocations), (NodeCounter.Conflicts, Tally.Conflicts), (NodeCounter.Lists, Tally.Lists), (NodeCounter.Exhausted, Tally.Exhausted));
            }
        }
    }
}
