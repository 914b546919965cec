using Danm.Cni;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach;

/// <summary>Removes what a sandbox's record says is in its namespace: interfaces, and the rules that outlive them.</summary>
internal static class SandboxInterfaces
{
    /// <summary>
    /// The path under which the namespace of a record may be entered without the runtime having named it. Not one of another boot, nor
    /// one of a process: its number may be another's by now.
    /// </summary>
    public static string? RecordedNetns(SandboxRecord record) =>
        record.Netns is { Length: > 0 } netns && !netns.StartsWith("/proc/", StringComparison.Ordinal) && !NodeState.IsOfAnotherBoot(record)
            ? netns
            : null;

    /// <summary>Removes the record's interfaces by name. A namespace that is gone has none.</summary>
    /// <exception cref="CniException">An interface stays; then its addresses must stay too.</exception>
    public static void Remove(SandboxRecord record, string? netns)
    {
        if (netns is not { Length: > 0 })
            return;
        try
        {
            using var pod = NetworkNamespace.Open(netns);
            Remove(pod, record.Attachments);
        }
        catch (NetworkNamespaceException e) when (e.IsGone)
        {
            // The kernel removed the interfaces with their namespace.
        }
        catch (Exception e) when (e is NetlinkException or NetworkNamespaceException)
        {
            throw new CniException(
                CniErrorCode.KernelRefused,
                $"interfaces of container {record.ContainerId} cannot be removed, so their addresses stay reserved: {e.Message}",
                "CNI_NETNS",
                e);
        }
    }

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static void Remove(NetworkNamespace pod, IReadOnlyList<AttachmentRecord> attachments)
    {
        if (attachments.Count == 0)
            return;
        using var visit = pod.Visit(VisitSockets.Route);
        var tables = new HashSet<uint>();
        foreach (var attachment in attachments)
        {
            // An interface of that name which is none of ours was there before: ADD failed because of it.
            if (InterfaceName.IsValid(attachment.Interface) && visit.Route.GetLink(attachment.Interface) is { Kind: LinkKind.Ipvlan } link)
                visit.Route.DeleteLink(link.Index);
            if (attachment.Table != 0)
                tables.Add(attachment.Table);
        }

        if (tables.Count == 0)
            return;
        foreach (var rule in visit.Route.DumpRules())
        {
            if (rule is { IsPlain: true, Source: { } source } && source == source.Host && tables.Contains(rule.Table))
                visit.Route.DeleteRule(rule);
        }
    }
}
