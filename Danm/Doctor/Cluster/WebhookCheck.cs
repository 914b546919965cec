using System.Runtime.CompilerServices;
using Danm.Api;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether the API server asks the webhook about networks, and gets its answer: by creates that are checked and not carried out.</summary>
internal sealed class WebhookCheck(ClusterView cluster) : ICheck
{
    private const string Configuration = "danm-webhook-config", Service = "danm-webhook-svc", Apply = "kubectl apply -k manifests/webhook";
    private const string Subnet = "192.0.2.0/24", First = "192.0.2.1";

    /// <inheritdoc/>
    public string Id => "cluster-webhook";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var component = Component.All.Single(c => c.Folder == "webhook");
        var live = await cluster.TryGetAsync(ResourcePath.Of("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", null, Configuration), cancellation).ConfigureAwait(false);
        if (live is not { } configuration)
        {
            yield return await cluster.TryGetAsync(Component.PathOf(component.Workload), cancellation).ConfigureAwait(false) is null
                ? Finding.Info($"the webhook is not installed: {component.Without}", $"if you want it: {Apply}")
                : Finding.Failed($"the webhook runs, and there is no MutatingWebhookConfiguration {Configuration}: nobody asks it", Apply);
            yield break;
        }

        foreach (var finding in FaultsOf(configuration))
            yield return finding;
        if (!await HasEndpointsAsync(cancellation).ConfigureAwait(false))
            yield return Finding.Failed($"nothing ready stands behind the Service {ClusterView.SystemNamespace}/{Service}: networks cannot be created or changed", "see cluster-workloads; kubectl logs -n kube-system -l danm=webhook");
        yield return await TryAsync(cancellation).ConfigureAwait(false);
    }

    private static IEnumerable<Finding> FaultsOf(Document configuration)
    {
        foreach (var wanted in BuildManifests.Of("webhook", "MutatingWebhookConfiguration").Single()["webhooks"].Items)
        {
            var path = wanted["clientConfig"]["service"]["path"].Text;
            var webhook = configuration["webhooks"].Items.FirstOrDefault(w => w["clientConfig"]["service"]["path"].Text == path);
            if (!webhook.Exists)
            {
                yield return Finding.Failed($"{Configuration} does not ask {path}", Apply);
                continue;
            }

            if (webhook["clientConfig"]["caBundle"].Text.Length == 0)
                yield return Finding.Failed($"{Configuration} has no caBundle for {path}: the API server cannot trust the webhook", "the webhook writes it with --self-signed, cert-manager's CA injector with the annotation cert-manager.io/inject-ca-from: see their logs");
            if (webhook["failurePolicy"].Text == "Ignore")
                yield return Finding.Warning($"{Configuration} lets everything pass {path} while the webhook is away (failurePolicy: Ignore)", Apply);
            foreach (var resource in wanted["rules"].Items.SelectMany(r => r["resources"].Texts).Where(r => !webhook["rules"].Items.SelectMany(w => w["resources"].Texts).Any(w => w == r || w == "*")))
                yield return Finding.Failed($"{Configuration} does not ask {path} about {resource}", Apply);
        }
    }

    private async Task<bool> HasEndpointsAsync(CancellationToken cancellation)
    {
        await foreach (var slice in cluster.ListAsync(ResourcePath.Of(EndpointSlice.GroupVersion, EndpointSlice.Plural, ClusterView.SystemNamespace), $"{EndpointSlice.ServiceNameLabel}={Service}", cancellation).ConfigureAwait(false))
        {
            // Absent means ready.
            if (slice["endpoints"].Items.Any(e => e["conditions"]["ready"].Text != "false"))
                return true;
        }

        return false;
    }

    private async Task<Finding> TryAsync(CancellationToken cancellation)
    {
        try
        {
            var accepted = await CreateAsync(Subnet, cancellation).ConfigureAwait(false);
            if (accepted.Spec.Options.AllocationPool?.Start != First)
                return Finding.Failed("a network is stored without having been completed: the API server does not ask the webhook", $"something changed {Configuration}: {Apply}");
        }
        catch (ApiException e) when (IsOfWebhook(e))
        {
            return Finding.Failed($"the webhook refuses a network that is right: {e.Message}", "is it of this build? see cluster-workloads");
        }
        catch (ApiException e) when (e.Status?.Message?.Contains("calling webhook", StringComparison.Ordinal) == true)
        {
            return Finding.Failed($"the API server does not reach the webhook: {e.Message}", $"can the control plane connect to the webhook's nodes at port 8443 (firewall)? Is the certificate by the caBundle (cluster-certificates)? {Apply}");
        }

        try
        {
            await CreateAsync("192.0.2.0/99", cancellation).ConfigureAwait(false);
            return Finding.Failed("a network that is wrong is let in", $"something changed {Configuration} or the CustomResourceDefinitions: {Apply}, and see cluster-crds");
        }
        catch (ApiException e) when (IsOfWebhook(e) || e.Code == System.Net.HttpStatusCode.UnprocessableEntity)
        {
            return Finding.Ok("the webhook completes networks that are right, and refuses those that are not");
        }
    }

    private async Task<Network> CreateAsync(string cidr, CancellationToken cancellation)
    {
        var network = new Network
        {
            ApiVersion = ApiNames.GroupVersion,
            Kind = NetworkKind.ClusterNetwork,
            Metadata = new ObjectMeta { Name = $"danm-doctor-{Guid.NewGuid():N}" },
            Spec = new NetworkSpec { NetworkId = "doctor", NetworkType = "ipvlan", Options = new NetworkOptions { HostDevice = "doctor0", Cidr = cidr } },
        };
        var api = await cluster.ApiAsync().ConfigureAwait(false);
        return (await api.CreateAsync(ResourcePath.Danm(ApiNames.ClusterNetworks, null).DryRun, network, ApiJson.Default.Network, cancellation).ConfigureAwait(false)).Object;
    }

    // A refusal has the same status as a lack of rights.
    private static bool IsOfWebhook(ApiException e) => e.Status?.Message?.Contains("admission webhook", StringComparison.Ordinal) == true && e.Status.Message.Contains("denied", StringComparison.Ordinal);
}
