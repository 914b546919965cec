using Danm.Cni;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// The delegates that the node's sandboxes were attached by: one for each network name and chain of plugins, with a configuration of
/// it and the attachments that live, under the interface names that Danm gave.
/// </summary>
internal sealed class DelegatesInUse
{
    private readonly Dictionary<string, (DelegateRecord Called, List<CniAttachment> Alive)> delegates = [];

    public IEnumerable<(DelegateRecord Called, IReadOnlyList<CniAttachment> Alive)> All => delegates.Values.Select(d => (d.Called, (IReadOnlyList<CniAttachment>)d.Alive));

    /// <summary>The record's delegates are in use.</summary>
    public void Add(SandboxRecord record)
    {
        foreach (var (_, called) in DelegatesOf(record))
            delegates.TryAdd(KeyOf(called), (called, []));
    }

    /// <summary>The record's attachments live, as far as they are of delegates that were added.</summary>
    public void AddAlive(SandboxRecord record)
    {
        foreach (var (attachment, called) in DelegatesOf(record))
        {
            if (delegates.TryGetValue(KeyOf(called), out var known))
                known.Alive.Add(new CniAttachment(record.ContainerId, attachment.Interface));
        }
    }

    private static IEnumerable<(AttachmentRecord Attachment, DelegateRecord Called)> DelegatesOf(SandboxRecord record) =>
        record.Attachments.Where(a => a.Delegate is not null).Select(a => (a, a.Delegate!));

    private static string KeyOf(DelegateRecord called) => $"{called.Name} {called.CniVersion} {string.Join(' ', called.Plugins.Select(p => p.Type))}";
}
