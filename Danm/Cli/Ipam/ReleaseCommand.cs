using System.CommandLine;
using Danm.Attach;
using Danm.Api;
using Danm.Cni;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Cli.Ipam;

/// <summary><c>danm ipam release</c>: one address, by an operator's word.</summary>
internal static class ReleaseCommand
{
    public static Command Create()
    {
        var address = new Argument<string>("address") { Description = "An address, or the name of its IPAllocation, which is of one wire only.", HelpName = "ADDRESS" };
        var network = new Argument<string?>("network") { Description = "Only of this network: DanmNet/NAME, TenantNetwork/NAME (with -n) or ClusterNetwork/NAME.", Arity = ArgumentArity.ZeroOrOne, HelpName = "KIND/NAME" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Tell what would be released, and change nothing." };
        var force = new Option<bool>("--force") { Description = "Even if its Pod is alive, or nobody can tell: another Pod may then get the address while this one still uses it." };
        var cluster = new ClusterOptions();
        var command = new Command("release", "Release one address whose Pod is gone. Several matches are listed, and none is released.") { address, network, dryRun, force };
        cluster.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(address) is { } text && !CidrAddress.TryParseAddress(text, out _) && !AllocationName.TryParse(text, out _, out _))
                result.AddError($"'{CniText.Clean(text, 100)}' is neither an address nor the name of an IPAllocation");
            if (result.GetValue(network) is { } name && NetworkArgument.TryParse(name, "n") is null)
                result.AddError($"'{CniText.Clean(name, 100)}' is no network: write KIND/NAME, such as ClusterNetwork/radio");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var config = LocalNode.ReadConfiguration(null);
            var (api, ns) = cluster.Connect(parsed, config.Kubeconfig);
            using (api)
            {
                var of = parsed.GetValue(network) is { } name ? NetworkArgument.TryParse(name, ns) : null;
                var matches = await FindAsync(api, parsed.GetRequiredValue(address), of, cancellation).ConfigureAwait(false);
                var release = new AddressRelease(api, parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                return await release.RunAsync(matches, parsed.GetRequiredValue(address), of, parsed.GetValue(dryRun), parsed.GetValue(force), cancellation).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static async Task<List<IPAllocation>> FindAsync(ApiClient api, string text, NetworkRef? network, CancellationToken cancellation)
    {
        if (AllocationName.TryParse(text, out _, out _))
        {
            var one = await api.TryGetAsync(ResourcePath.Danm(ApiNames.IPAllocations, null, text), ApiJson.Default.IPAllocation, cancellation).ConfigureAwait(false);
            return one is not null && (network is null || one.Spec.Network == network) ? [one] : [];
        }

        var matches = new List<IPAllocation>();
        if (!CidrAddress.TryParseAddress(text, out var wanted))
            return matches;
        var selector = network is null ? null : $"{ApiNames.NetworkLabel}={network.ToLabelValue()}";
        await foreach (var page in ObjectPages.ReadAsync(api, ResourcePath.Danm(ApiNames.IPAllocations, null), selector, ApiJson.Default.ObjectListIPAllocation, cancellation).ConfigureAwait(false))
            matches.AddRange(page.Where(a => AllocationName.TryParse(a.Metadata.Name, out var address, out _) && address.Equals(wanted)));
        return matches;
    }
}
