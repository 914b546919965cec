using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>The webhook's rights: with a certificate of its own in one mode, with cert-manager's in the other.</summary>
[TestFixture("production"), TestFixture("lightweight"), Parallelizable]
public sealed class WebhookRightsTests(string mode) : RightsFixture(mode)
{
    private const string Account = "danm-webhook", Workload = "danm-webhook-deployment";

    private readonly CertificateAuthority authority = new();

    [OneTimeTearDown]
    public void Forget() => authority.Dispose();

    [Test]
    public async Task Each_right_is_needed_and_all_are_enough()
    {
        if (Mode.HasTenants)
            await RenewAsync();
        else
            await IssueAsync();
        await using var webhook = Start(Workload);
        await webhook.UntilReadyAsync();

        if (Mode.HasTenants)
            await ReserveAsync();
        (await KubectlAsync("create --validate=false -f -", Network("wrong", "10.5.0.0/99"))).Should().Contain("10.5.0.0/99", "the webhook refuses it: {0}", webhook.Log);
        (await KubectlAsync("create --validate=false -f -", Network("right", "10.5.0.0/24"))).Should().Contain("created", "{0}", webhook.Log);
        Store.Get("danm.io/v1", Mode.OwnNetwork, Namespace, "right").At("spec", "Options", "allocation_pool", "start").String().Should().Be("10.5.0.1", "the webhook completes it");
        (await KubectlAsync($"delete -n {Namespace} {Mode.OwnNetwork.ToLowerInvariant()}s right")).Should().Contain("deleted");

        ExpectNoComplaints(webhook, Account);
        ExpectRightsOf(Account);
    }

    /// <summary>A Secret that cannot be read is written anew; one that is not there is made.</summary>
    private async Task RenewAsync()
    {
        Create("""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"danm-webhook-tls","namespace":"kube-system"},"type":"kubernetes.io/tls","data":{"tls.crt":"eA==","tls.key":"eA=="} }""");
        await using var first = Start(Workload);
        await Eventually.HoldsAsync(() => Bundles().Should().NotContainNulls(first.Log));
        await first.KillAsync();
        Store.Delete("v1", "Secret", "kube-system", "danm-webhook-tls");
    }

    /// <summary>What cert-manager does.</summary>
    private async Task IssueAsync()
    {
        using var certificate = authority.IssueServer("danm-webhook-svc.kube-system.svc");
        using var key = certificate.GetECDsaPrivateKey()!;
        Directory.CreateDirectory(Node.PathOf("certs"));
        Node.WriteFile("certs/tls.crt", certificate.ExportCertificatePem());
        Node.WriteFile("certs/tls.key", key.ExportPkcs8PrivateKeyPem());
        Change("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config", c =>
        {
            foreach (var webhook in c["webhooks"]!.AsArray())
                webhook!["clientConfig"]!["caBundle"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.Pem));
        });
    }

    /// <summary>Ids of TenantNetworks: one that an earlier request has reserved, and one that another replica takes in that very moment.</summary>
    private async Task ReserveAsync()
    {
        Create(Reservation(105, "again"));
        (await KubectlAsync("create -f - --validate=false", """{"apiVersion":"danm.io/v1","kind":"TenantConfig","metadata":{"name":"tenants"},"hostDevices":[{"name":"parent0","vniType":"vxlan","vniRange":"100-110"}]}"""))
            .Should().Contain("created");
        await Eventually.HoldsAsync(async () => (await KubectlAsync($"create -f - --raw '/apis/danm.io/v1/namespaces/{Namespace}/tenantnetworks?dryRun=All'", Network("again", "10.6.0.0/24"))).Should().MatchRegex("\"vxlan\": ?105"));
        (await KubectlAsync("create -f - --validate=false", Network("again", "10.6.0.0/24"))).Should().Contain("created");
        Node.Server.Faults.Add(new Fault(Fault.On("create", "vniallocations"))
        {
            Count = 1,
            Hold = () =>
            {
                Create(Reservation(100, "of-another-replica"));
                return Task.CompletedTask;
            },
        });
        (await KubectlAsync("create -f - --validate=false", Network("next", "10.7.0.0/24"))).Should().Contain("created");
        Store.Get("danm.io/v1", "TenantNetwork", Namespace, "next").At("spec", "Options", "vxlan")!.GetValue<int>().Should().Be(101);
    }

    private IEnumerable<JsonNode?> Bundles() => Store.Get("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config")!["webhooks"]!.AsArray()
        .Select(w => w.At("clientConfig", "caBundle"));

    private static string Reservation(int id, string network) => $$"""
        {"apiVersion":"danm.io/v1","kind":"VNIAllocation","metadata":{"name":"vxlan{{id}}.parent0","annotations":{"danm.io/reserved-at":"{{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ssZ}}"} },
         "spec":{"device":"parent0","vniType":"vxlan","vni":{{id}},"network":{"kind":"TenantNetwork","namespace":"{{Namespace}}","name":"{{network}}"} } }
        """;

    private string Network(string name, string cidr) => $$"""
        {"apiVersion":"danm.io/v1","kind":"{{Mode.OwnNetwork}}","metadata":{"name":"{{name}}","namespace":"{{Namespace}}"},
         "spec":{"NetworkID":"{{name}}","NetworkType":"macvlan","Options":{ {{(Mode.HasTenants ? "" : "\"host_device\":\"parent0\",")}}"cidr":"{{cidr}}"} } }
        """;
}
