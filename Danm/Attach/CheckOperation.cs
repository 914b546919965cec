using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach;

/// <summary>Compares a sandbox with what ADD left: interfaces, addresses, routes, rules, DanmEps, IPAllocations, and what delegates say.</summary>
internal sealed class CheckOperation(NodeCall call)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(15);

    private readonly List<string> differences = [];

    /// <exception cref="CniException">The container is unknown, or not as ADD left it.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var record = await FindAsync(cancellation).ConfigureAwait(false);
        using var api = call.Connect();
        await CompareAsync(record, api, cancellation).ConfigureAwait(false);
    }

    /// <exception cref="CniException">The first difference and how many more; all of them in the details.</exception>
    public async Task CompareAsync(SandboxRecord record, ApiClient api, CancellationToken cancellation)
    {
        CheckKernel(record, call.Request.Netns!);
        await Task.WhenAll(
            [
                .. record.Claims.Where(c => c.Uid is not null).Select(c => CheckAsync(api, record, c, cancellation)),
                .. record.Attachments.Where(a => a.Delegate is not null).Select(a => CheckDelegateAsync(record, a, a.Delegate!, cancellation)),
            ]).ConfigureAwait(false);
        if (differences.Count > 0)
        {
            throw new CniException(
                CniErrorCode.CheckFailed,
                $"container {record.ContainerId} is not as ADD left it: {differences[0]}{(differences.Count > 1 ? $" (and {differences.Count - 1} more)" : "")}; delete the Pod to have it attached anew",
                string.Join("; ", differences));
        }
    }

    private async Task<SandboxRecord> FindAsync(CancellationToken cancellation)
    {
        var container = call.Request.ContainerId;
        var journals = await call.State.FindAsync((_, c) => c == container, LockWait, cancellation).ConfigureAwait(false);
        var record = journals.Find(j => j.Last is { Phase: SandboxPhase.Attached })?.Last;
        journals.ForEach(j => j.Dispose());
        return record ?? throw new CniException(CniErrorCode.UnknownContainer, $"danm has not attached container {container} on this node: delete the Pod to have it attached anew");
    }

    private async Task CheckDelegateAsync(SandboxRecord record, AttachmentRecord attachment, DelegateRecord called, CancellationToken cancellation)
    {
        try
        {
            await call.Chain.CheckAsync(called, new PluginCall("CHECK", record.ContainerId, attachment.Interface, call.Request.Netns), cancellation).ConfigureAwait(false);
        }
        catch (PluginException e)
        {
            Add($"interface \"{attachment.Interface}\" ({attachment.Network}): {e.Message}");
        }
    }

    private void CheckKernel(SandboxRecord record, string netns)
    {
        using var pod = NetworkNamespace.Open(netns);
        using var visit = pod.Visit(VisitSockets.Route);
        var rules = visit.Route.DumpRules();
        foreach (var attachment in record.Attachments)
        {
            if (!attachment.IsOutsideKernel)
                Check(visit.Route, attachment, rules);
        }
    }

    private void Add(string difference)
    {
        lock (differences)
            differences.Add(difference);
    }

    private void Check(RouteSocket route, AttachmentRecord wanted, List<Rule> rules)
    {
        if (route.GetLink(wanted.Interface) is not { } link)
        {
            differences.Add($"interface \"{wanted.Interface}\" ({wanted.Network}) is missing");
            return;
        }

        if (!link.IsUp)
            differences.Add($"interface \"{wanted.Interface}\" is down");
        if (wanted.Mac is not null && link.Address?.ToString() != wanted.Mac)
            differences.Add($"interface \"{wanted.Interface}\" has the hardware address {link.Address}, not {wanted.Mac}");
        var addresses = route.DumpAddresses(link.Index);
        var routes = route.DumpRoutes(link: link.Index);
        foreach (var text in wanted.Addresses)
        {
            var isAddress = CidrAddress.TryParse(text, out var address);
            if (!isAddress || !addresses.Exists(a => a.Address == address))
                differences.Add($"address {text} of interface \"{wanted.Interface}\" is missing");
            // The original's rules matched the whole subnet; they serve as well.
            if (isAddress && wanted.Table != 0
                && wanted.Routes.Any(r => r.Table == wanted.Table && r.Destination.Contains(':') == address.IsIPv6)
                && !rules.Exists(r => r.Table == wanted.Table && r.Source is { } s && (s == address.Host || s == address.Network || s == address)))
                differences.Add($"rule from {address.Host} to table {wanted.Table} is missing");
        }

        foreach (var r in wanted.Routes)
        {
            if (!CidrAddress.TryParse(r.Destination, out var destination)
                || !routes.Exists(x => x.Destination == destination && x.Table == r.Table && x.Gateway?.ToString() == r.Gateway))
                differences.Add($"route {r.Destination} via {r.Gateway} in table {r.Table} of interface \"{wanted.Interface}\" is missing");
        }
    }

    private async Task CheckAsync(ApiClient api, SandboxRecord record, ClaimRecord claim, CancellationToken cancellation)
    {
        var attachment = record.Attachments.FirstOrDefault(a => a.EndpointId == claim.EndpointId);
        var difference = claim.Kind == ApiNames.DanmEp
            ? DifferenceOf(
                await api.TryGetAsync(ResourcePath.Danm(ApiNames.DanmEps, record.PodNamespace, claim.Name), ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false), attachment)
            : DifferenceOf(
                await api.TryGetAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, claim.Name), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false), record, claim);
        if (difference is not null)
            Add($"{claim.Kind} {claim.Name} {difference}");
    }

    private static string? DifferenceOf(DanmEp? endpoint, AttachmentRecord? attachment)
    {
        if (endpoint is null)
            return "is missing";
        if (attachment is null)
            return null;
        if (endpoint.Spec.Interface.Name != attachment.Interface)
            return $"is of interface \"{endpoint.Spec.Interface.Name}\", not \"{attachment.Interface}\"";
        foreach (var address in attachment.Addresses)
        {
            var text = address.Contains(':') ? endpoint.Spec.Interface.AddressIPv6 : endpoint.Spec.Interface.Address;
            if (text != address)
                return $"has the address {text}, not {address}";
        }

        return null;
    }

    private static string? DifferenceOf(IPAllocation? allocation, SandboxRecord record, ClaimRecord claim) => allocation switch
    {
        null => "is missing",
        { Spec.Owner: { } owner } when record.Owns(claim, owner) => null,
        _ => $"is of Pod {allocation.Spec.Owner?.Namespace}/{allocation.Spec.Owner?.Pod}",
    };
}
