using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach;

/// <summary>Compares a sandbox with what ADD left: interfaces, addresses, routes, rules, DanmEps, IPAllocations.</summary>
internal sealed class CheckOperation(ApiClient api)
{
    private readonly List<string> differences = [];

    /// <exception cref="CniException">The first difference and how many more; all of them in the details.</exception>
    public async Task RunAsync(SandboxRecord record, string netns, CancellationToken cancellation)
    {
        using (var pod = NetworkNamespace.Open(netns))
        using (var visit = pod.Visit(VisitSockets.Route))
        {
            var rules = visit.Route.DumpRules();
            foreach (var attachment in record.Attachments)
                Check(visit.Route, attachment, rules);
        }

        await Task.WhenAll(record.Claims.Where(c => c.Uid is not null).Select(c => CheckAsync(record, c, cancellation))).ConfigureAwait(false);
        if (differences.Count > 0)
        {
            throw new CniException(
                CniErrorCode.CheckFailed,
                $"container {record.ContainerId} is not as ADD left it: {differences[0]}{(differences.Count > 1 ? $" (and {differences.Count - 1} more)" : "")}; delete the Pod to have it attached anew",
                string.Join("; ", differences));
        }
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
            var address = CidrAddress.Parse(text);
            if (!addresses.Exists(a => a.Address == address))
                differences.Add($"address {text} of interface \"{wanted.Interface}\" is missing");
            // The original's rules matched the whole subnet; they serve as well.
            if (wanted.Table != 0
                && wanted.Routes.Any(r => r.Table == wanted.Table && r.Destination.Contains(':') == address.IsIPv6)
                && !rules.Exists(r => r.Table == wanted.Table && r.Source is { } s && (s == address.Host || s == address.Network || s == address)))
                differences.Add($"rule from {address.Host} to table {wanted.Table} is missing");
        }

        foreach (var r in wanted.Routes)
        {
            var destination = CidrAddress.Parse(r.Destination);
            if (!routes.Exists(x => x.Destination == destination && x.Table == r.Table && x.Gateway?.ToString() == r.Gateway))
                differences.Add($"route {r.Destination} via {r.Gateway} in table {r.Table} of interface \"{wanted.Interface}\" is missing");
        }
    }

    private async Task CheckAsync(SandboxRecord record, ClaimRecord claim, CancellationToken cancellation)
    {
        var difference = claim.Kind == ApiNames.DanmEp
            ? await api.TryGetAsync(ResourcePath.Danm(ApiNames.DanmEps, record.PodNamespace, claim.Name), ApiJson.Default.DanmEp, cancellation).ConfigureAwait(false) is null
            : await api.TryGetAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, claim.Name), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false)
                is not { } allocation || allocation.Spec.Owner?.DanmEp != claim.EndpointId;
        if (difference)
        {
            lock (differences)
                differences.Add($"{claim.Kind} {claim.Name} is missing or another Pod's");
        }
    }
}
