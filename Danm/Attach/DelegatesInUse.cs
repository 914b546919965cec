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

    public void Add(SandboxRecord record, bool isAlive)
    {
        foreach (var attachment in record.Attachments)
        {
            if (attachment.Delegate is not { } called)
                continue;
            var key = $"{called.Name} {called.CniVersion} {string.Join(' ', called.Plugins.Select(p => p.Type))}";
            if (!delegates.TryGetValue(key, out var known))
                delegates[key] = known = (called, []);
            if (isAlive)
                known.Alive.Add(new CniAttachment(record.ContainerId, attachment.Interface));
        }
    }
}
