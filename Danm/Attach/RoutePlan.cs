using Danm.Api;
using Danm.Networks;

namespace Danm.Attach;

/// <summary>The routes of one interface, as far as its addresses let them be set.</summary>
/// <param name="Main">For the main table.</param>
/// <param name="Policy">For <paramref name="Table"/>, which a rule for each address leads to.</param>
/// <param name="Table">The network's table; 0: none.</param>
/// <param name="Warnings">What is skipped, and why: the original skipped in silence.</param>
internal sealed record RoutePlan(IReadOnlyList<GatewayRoute> Main, IReadOnlyList<GatewayRoute> Policy, uint Table, IReadOnlyList<string> Warnings)
{
    /// <summary>The routes for an interface that has, or will have, addresses of these families.</summary>
    public static RoutePlan Of(Network network, AttachmentRequest request, bool ipv4, bool ipv6)
    {
        var options = network.Spec.Options;
        var table = options.RoutingTable ?? 0;
        var warnings = new List<string>();
        // The objects' own routes were checked when the network was (NetworkRules).
        return new RoutePlan(
            [
                .. ipv4 ? GatewayRoute.ReadAll("spec.Options.routes", options.Routes, ipv6: false, []) : [],
                .. ipv6 ? GatewayRoute.ReadAll("spec.Options.routes6", options.Routes6, ipv6: true, []) : [],
            ],
            [.. Policy("proutes", request.PolicyRoutes, ipv4), .. Policy("proutes6", request.PolicyRoutes6, ipv6)],
            table,
            warnings);

        IReadOnlyList<GatewayRoute> Policy(string field, IReadOnlyList<GatewayRoute> wanted, bool hasAddress)
        {
            if (wanted.Count == 0)
                return [];
            var missing = !hasAddress ? "the interface has no address of that family" : table == 0 ? "the network has no spec.Options.rt_tables" : null;
            if (missing is null)
                return wanted;
            warnings.Add($"{field} of entry {request.Position} ({network.Ref}) skipped: {missing}");
            return [];
        }
    }
}
