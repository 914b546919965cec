using Danm.Api;
using Danm.Kube;
using Danm.Kube.Queues;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// Leads the <c>master</c> of NetworkAttachmentDefinitions to our interfaces, and back. All nodes want the same; the first one's update
/// has the resourceVersion, so that the others' are refused, and then see that it is done.
/// </summary>
internal sealed class DefinitionWriter(ApiClient api, Action<string> failed, ILogger log, TimeProvider clock)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LongestRetry = TimeSpan.FromMinutes(10);

    private readonly KeyBackoff<string> backoff = new(FirstRetry, LongestRetry);
    private readonly Dictionary<string, Refusal> refusals = [];

    /// <summary>When the first of the updates that failed is due again; null: none has.</summary>
    public TimeSpan? NextTry => refusals.Count == 0
        ? null
        : TimeSpan.FromTicks(Math.Max(0, (refusals.Values.Min(r => r.NotBefore) - clock.GetUtcNow()).Ticks));

    /// <summary>Writes what is not as it must be. What was refused is tried again later each time, or when the object has changed.</summary>
    public async Task WriteAsync(IEnumerable<AttachmentDefinition> definitions, CancellationToken cancellation)
    {
        var pending = new HashSet<string>();
        foreach (var definition in definitions)
        {
            if (definition.Rewrite is not { } rewrite)
                continue;
            pending.Add(definition.Name);
            var version = definition.Object.Metadata.ResourceVersion;
            if (refusals.TryGetValue(definition.Name, out var before) && before.Version == version && clock.GetUtcNow() < before.NotBefore)
                continue;
            try
            {
                await WriteAsync(definition.Object.Metadata, rewrite, cancellation).ConfigureAwait(false);
                pending.Remove(definition.Name);
                log.Rewritten(definition.Name, rewrite.Interfaces ?? "its device");
            }
            catch (ApiException e)
            {
                // Another node, or its owner, was faster: the watch brings what it is now.
                if (!e.IsConflict && !e.IsNotFound)
                    failed(e.Message);
                if (before.Version != version)
                    backoff.Forget(definition.Name);
                refusals[definition.Name] = new(version, clock.GetUtcNow() + (backoff.Next(definition.Name) * (0.75 + (Random.Shared.NextDouble() / 2))));
            }
        }

        foreach (var name in refusals.Keys.Except(pending).ToList())
        {
            refusals.Remove(name);
            backoff.Forget(name);
        }
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

    private readonly record struct Refusal(string? Version, DateTimeOffset NotBefore);
}
