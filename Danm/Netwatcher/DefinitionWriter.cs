using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// Leads the <c>master</c> of NetworkAttachmentDefinitions to our interfaces, and back. All nodes want the same; the first one's update
/// has the resourceVersion, so that the others' are refused, and then see that it is done.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="spread">Within which time it writes: the nodes of a cluster, each at its own moment, mostly see that it is done.</param>
/// <param name="failed">Told what the server refuses.</param>
/// <param name="log">Gets a line for each that is led.</param>
/// <param name="clock">The time.</param>
internal sealed class DefinitionWriter(ApiClient api, TimeSpan spread, Action<string> failed, ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(10);

    private readonly KeyBackoff<string> backoff = new(FirstRetry, LongestRetry);
    private readonly Dictionary<string, Update> updates = [];

    /// <summary>When the first of the updates is due that are still to be made; null: all are.</summary>
    public TimeSpan? NextTry => updates.Count == 0
        ? null
        : TimeSpan.FromTicks(Math.Max(0, (updates.Values.Min(u => u.NotBefore) - clock.GetUtcNow()).Ticks));

    /// <summary>Writes what is due. What was refused is tried again later each time, or when the object has changed.</summary>
    /// <param name="definitions">All that must say something else.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>What was written.</returns>
    public async Task<IReadOnlyList<AttachmentDefinition>> WriteAsync(IReadOnlyCollection<AttachmentDefinition> definitions, CancellationToken cancellation)
    {
        var written = new List<AttachmentDefinition>();
        foreach (var name in updates.Keys.Except(definitions.Select(d => d.Name)).ToList())
            Forget(name);
        foreach (var definition in definitions)
        {
            var (name, version) = (definition.Name, definition.Object.Metadata.ResourceVersion);
            if (!updates.TryGetValue(name, out var update) || update.Version != version)
            {
                Forget(name);
                updates[name] = update = new(version, clock.GetUtcNow() + (spread * Random.Shared.NextDouble()));
            }

            if (clock.GetUtcNow() < update.NotBefore)
                continue;
            try
            {
                await WriteAsync(definition.Object.Metadata, definition.Rewrite!, cancellation).ConfigureAwait(false);
                // Until the watch brings it as it is now there is nothing to do.
                updates[name] = new(version, clock.GetUtcNow() + FirstRetry);
                written.Add(definition);
                log.Rewritten(name, definition.Rewrite!.Target);
            }
            catch (ApiException e)
            {
                // A conflict: another node, or its owner, was faster. The watch brings what it is now.
                if (!e.IsConflict && !e.IsNotFound)
                    failed(e.Message);
                updates[name] = new(version, clock.GetUtcNow() + (backoff.Next(name) * (0.75 + (Random.Shared.NextDouble() / 2))));
            }
        }

        return written;
    }

    private void Forget(string name)
    {
        updates.Remove(name);
        backoff.Forget(name);
    }

    private Task WriteAsync(ObjectMeta metadata, DefinitionRewrite rewrite, CancellationToken cancellation)
    {
        var patch = new NetworkAttachmentDefinition
        {
            Metadata = new ObjectMeta
            {
                ResourceVersion = metadata.ResourceVersion,
                // A merge patch removes what is null.
                Annotations = new()
                {
                    [NetworkAttachmentDefinition.OriginalMasterAnnotation] = rewrite.Devices!,
                    [ApiNames.HostInterfaceAnnotation] = rewrite.Interfaces!,
                },
            },
            Spec = new NetworkAttachmentSpec { Config = rewrite.Config },
        };
        return api.PatchAsync(
            ResourcePath.Of(NetworkAttachmentDefinition.GroupVersion, NetworkAttachmentDefinition.Plural, metadata.Namespace, metadata.Name),
            patch,
            ApiJson.Default.NetworkAttachmentDefinition,
            cancellation);
    }

    private readonly record struct Update(string? Version, DateTimeOffset NotBefore);
}
