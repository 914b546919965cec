using Danm.Cni;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// The delegates that the node's sandboxes were attached by: one for each network name and chain of plugins, with a configuration of
/// it. Those of one name share their attachments: plugins keep what they have by the network's name, of whatever version or chain.
/// </summary>
internal sealed class DelegatesInUse
{
    private readonly Dictionary<string, DelegateRecord> delegates = [];
    private readonly Dictionary<string, List<CniAttachment>> alive = [];

    /// <summary>What to call, and the attachments that live, under the interface names that Danm gave.</summary>
    public IEnumerable<(DelegateRecord Called, IReadOnlyList<CniAttachment> Alive)> All =>
        delegates.Values.Select(d => (d, (IReadOnlyList<CniAttachment>)alive.GetValueOrDefault(d.Name, [])));

    /// <summary>The record's delegates are in use.</summary>
    public void Add(SandboxRecord record)
    {
        foreach (var (_, called) in DelegatesOf(record))
            delegates.TryAdd($"{called.Name} {called.CniVersion} {string.Join(' ', called.Plugins.Select(p => p.Type))}", called);
    }

    /// <summary>The record's attachments live.</summary>
    public void AddAlive(SandboxRecord record)
    {
        foreach (var (attachment, called) in DelegatesOf(record))
        {
            if (!alive.TryGetValue(called.Name, out var known))
                alive[called.Name] = known = [];
            known.Add(new CniAttachment(record.ContainerId, attachment.Interface));
        }
    }

    private static IEnumerable<(AttachmentRecord Attachment, DelegateRecord Called)> DelegatesOf(SandboxRecord record) =>
        record.Attachments.Where(a => a.Delegate is not null).Select(a => (a, a.Delegate!));
}
