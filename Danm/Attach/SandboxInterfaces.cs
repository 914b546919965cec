using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// Removes what a sandbox's record says is in its namespace: interfaces, by the plugins that made them, and the rules that outlive them.
/// </summary>
internal sealed class SandboxInterfaces(NodeCall call)
{
    /// <summary>
    /// The path under which the namespace of a record may be entered without the runtime having named it. Not one of another boot, nor
    /// one of a process: its number may be another's by now.
    /// </summary>
    public static string? RecordedNetns(SandboxRecord record) =>
        record.Netns is { Length: > 0 } netns && !netns.StartsWith("/proc/", StringComparison.Ordinal) && !NodeState.IsOfAnotherBoot(record)
            ? netns
            : null;

    /// <summary>
    /// Calls each delegate's DEL, with or without a namespace, then removes what is left by name. A delegate that is gone or fails
    /// holds nothing up as long as its interface can be removed.
    /// </summary>
    /// <exception cref="CniException">An interface stays; then its addresses must stay too.</exception>
    public async Task RemoveAsync(SandboxRecord record, string? netns, CancellationToken cancellation)
    {
        try
        {
            if (record.Phase == SandboxPhase.Adding && record.Attachments.Any(a => a.Delegate is not null))
                await EndOrphansAsync(record, cancellation).ConfigureAwait(false);
            using var pod = netns is { Length: > 0 } ? TryOpen(netns) : null;
            var attachments = await CallDelegatesAsync(record, pod is null ? null : netns, cancellation).ConfigureAwait(false);
            if (pod is not null)
                Remove(pod, attachments);
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

    // A runtime kills an ADD that takes too long; its delegates do not notice.
    private async Task EndOrphansAsync(SandboxRecord record, CancellationToken cancellation)
    {
        if (await PluginStrays.EndOrphansAsync(record.ContainerId, cancellation).ConfigureAwait(false) is > 0 and var ended)
            call.Log.Warning("ended plugins that an ADD had called before it was killed", ("processes", $"{ended}"));
    }

    /// <summary>Null if the namespace is gone: the kernel removed the interfaces with it.</summary>
    private static NetworkNamespace? TryOpen(string netns)
    {
        try
        {
            return NetworkNamespace.Open(netns);
        }
        catch (NetworkNamespaceException e) when (e.IsGone)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<Leftover>> CallDelegatesAsync(SandboxRecord record, string? netns, CancellationToken cancellation)
    {
        var calls = new List<Task<Leftover>>();
        var oneByOne = call.Request.Config.Parallel == NetConfParallel.None;
        // Together they get no more time than one: several that hang must not keep what comes after them from its turn.
        var patience = call.Request.Patience() / (oneByOne ? Math.Max(1, record.Attachments.Count(a => a.Delegate is not null)) : 1);
        foreach (var attachment in record.Attachments.Reverse())
        {
            calls.Add(attachment.Delegate is { } called
                ? DelAsync(record, attachment, called, netns, patience, cancellation)
                : Task.FromResult(new Leftover(attachment, IsOurs: attachment.UnknownDelegate is null)));
            if (oneByOne)
                await calls[^1].ConfigureAwait(false);
        }

        return await Task.WhenAll(calls).ConfigureAwait(false);
    }

    private async Task<Leftover> DelAsync(
        SandboxRecord record, AttachmentRecord attachment, DelegateRecord called, string? netns, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            var del = new PluginCall("DEL", record.ContainerId, attachment.Interface, netns, call.Request.ContainerId == record.ContainerId ? null : record.Args ?? "");
            await call.Chain.DelAsync(called, del, patience, cancellation).ConfigureAwait(false);
            return new Leftover(attachment, IsOurs: false) { IsRemoved = true };
        }
        catch (Exception e) when (e is PluginException or CniException)
        {
            call.Log.Warning(
                "a delegate's DEL failed: its interface is removed by name", ("interface", attachment.Interface), ("network", attachment.Network),
                ("cause", e.Message));
            return new Leftover(attachment, IsOurs: false);
        }
    }

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    private void Remove(NetworkNamespace pod, IReadOnlyList<Leftover> leftovers)
    {
        if (leftovers.Count == 0)
            return;
        using var visit = pod.Visit(VisitSockets.Route);
        var tables = new HashSet<uint>();
        var sources = new HashSet<CidrAddress>();
        var rules = visit.Route.DumpRules().FindAll(r => r is { IsPlain: true, Source: not null });
        foreach (var leftover in leftovers)
        {
            var attachment = leftover.Attachment;
            // Of our own type, an interface of that name which is none of ours was there before: ADD failed because of it.
            if (InterfaceName.IsValid(attachment.Interface) && visit.Route.GetLink(attachment.Interface) is { } link
                && (leftover.IsOurs ? link.Kind is LinkKind.Ipvlan : link.Name != "lo"))
            {
                // A record made from DanmEps does not know the tables; the addresses tell.
                if (rules.Count > 0)
                    sources.UnionWith(visit.Route.DumpAddresses(link.Index).Select(a => a.Address.Host));
                if (leftover.IsRemoved)
                    call.Log.Warning("an interface was still there after its delegate's DEL: removed by name", ("interface", attachment.Interface), ("network", attachment.Network));
                visit.Route.DeleteLink(link.Index);
            }

            if (attachment.Table != 0)
                tables.Add(attachment.Table);
            foreach (var address in attachment.Addresses)
            {
                if (CidrAddress.TryParse(address, out var cidr))
                    sources.Add(cidr.Host);
            }
        }

        foreach (var rule in rules)
        {
            if (rule.Source is { } source && source == source.Host && (tables.Contains(rule.Table) || sources.Contains(source)))
                visit.Route.DeleteRule(rule);
        }
    }

    /// <param name="Attachment">The interface.</param>
    /// <param name="IsOurs">Whether our own plugin made it.</param>
    private sealed record Leftover(AttachmentRecord Attachment, bool IsOurs)
    {
        /// <summary>Whether its delegate says that it has removed it.</summary>
        public bool IsRemoved { get; init; }
    }
}
