using Microsoft.Extensions.Hosting;

namespace Danm.Kube.Serving;

/// <summary>A web server that leaves signals alone: they are the program's own business.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
