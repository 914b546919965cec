using Danm.Api;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Netwatcher;

/// <summary>
/// Leads the <c>master</c> of NetworkAttachmentDefinitions to our interfaces. All nodes want the same; the first one's update has the
/// resourceVersion, so that the others' are refused, and then see that it is done.
/// </summary>
internal sealed class DefinitionWriter(ApiClient api, Action<string> failed, ILogger log)
{
    // What was refused is not tried again until the object has changed.
    private readonly Dictionary<string, string?> refused = [];

    public async Task WriteAsync(IEnumerable<AttachmentDefinition> definitions, CancellationToken cancellation)
    {
        foreach (var definition in definitions)
        {
            var version = definition.Object.Metadata.ResourceVersion;
            if (definition.Rewrite is not { } rewrite || (refused.TryGetValue(definition.Name, out var before) && before == version))
                continue;
            try
            {
                var metadata = definition.Object.Metadata;
                var patch = new NetworkAttachmentDefinition
                {
                    Metadata = new ObjectMeta { ResourceVersion = version, Annotations = new() { [NetworkAttachmentDefinition.OriginalMasterAnnotation] = rewrite.OriginalMaster } },
                    Spec = new NetworkAttachmentSpec { Config = rewrite.Config },
                };
                await api.PatchAsync(
                    ResourcePath.Of(NetworkAttachmentDefinition.GroupVersion, NetworkAttachmentDefinition.Plural, metadata.Namespace, metadata.Name),
                    patch,
                    ApiJson.Default.NetworkAttachmentDefinition,
                    cancellation).ConfigureAwait(false);
                refused.Remove(definition.Name);
                log.Rewritten(definition.Name, string.Join(',', definition.Wishes.Select(w => w.Parent.Name)));
            }
            catch (ApiException e) when (e.IsConflict || e.IsNotFound)
            {
                // Another node, or its owner, was faster: the watch brings what it is now.
                refused[definition.Name] = version;
            }
            catch (ApiException e)
            {
                refused[definition.Name] = version;
                failed(e.Message);
            }
        }
    }
}
