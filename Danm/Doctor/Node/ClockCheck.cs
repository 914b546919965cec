using System.Runtime.CompilerServices;

namespace Danm.Doctor.Node;

/// <summary>Whether this node's clock agrees with the API server's.</summary>
internal sealed class ClockCheck(NodeView node, TimeProvider clock) : ICheck
{
    // The server's is in whole seconds, and the answer has been on its way.
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public string Id => "node-clock";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        DateTimeOffset? server;
        try
        {
            (_, server) = await node.Api.GetVersionAsync(cancellation).ConfigureAwait(false);
        }
        catch (Kube.ApiException)
        {
            throw new CheckSkippedException("the API server does not serve this node's plugin: see node-kubeconfig");
        }

        yield return server is { } time ? Judge(time - clock.GetUtcNow()) : throw new CheckSkippedException("the API server does not say its time");
    }

    /// <param name="difference">The server's clock less ours.</param>
    internal static Finding Judge(TimeSpan difference) => difference.Duration() < Tolerance
        ? Finding.Ok("this node's clock agrees with the API server's")
        : Finding.Warning(
            $"this node's clock is {difference.Duration().TotalSeconds:0} seconds {(difference > TimeSpan.Zero ? "behind" : "before")} the API server's",
            "mend its time synchronisation (chronyc tracking, timedatectl): certificates and tokens are good for a time only");
}
