using Danm.Api;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Kube;

/// <summary>The client against the embedded server, over real TLS.</summary>
[TestFixture, Parallelizable]
public sealed class ApiClientTests
{
    private EmbeddedApiServer server = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        server.Store.Create(Objects.Pod("a", null));
    }

    [TearDown]
    public async Task Stop() => await server.DisposeAsync();

    [Test]
    public async Task An_update_replaces_what_it_has_read_and_nothing_that_has_changed_since()
    {
        using var api = TestClient.Connect(server.Kubeconfig());
        var path = ResourcePath.Of(Lease.GroupVersion, Lease.Plural, "default", "x");
        var made = await api.CreateAsync(
            ResourcePath.Of(Lease.GroupVersion, Lease.Plural, "default"),
            new Lease { Metadata = new ObjectMeta { Name = "x", Labels = new() { ["a"] = "b" } }, Spec = new LeaseSpec { HolderIdentity = "one", LeaseDurationSeconds = 15 } },
            ClusterJson.Default.Lease,
            CancellationToken.None);

        var updated = await api.UpdateAsync(path, new Lease { Metadata = made.Object.Metadata, Spec = new LeaseSpec { HolderIdentity = "two" } }, ClusterJson.Default.Lease, CancellationToken.None);
        var late = () => api.UpdateAsync(path, new Lease { Metadata = made.Object.Metadata, Spec = new LeaseSpec { HolderIdentity = "late" } }, ClusterJson.Default.Lease, CancellationToken.None);

        (await late.Should().ThrowAsync<ApiException>()).Which.IsConflict.Should().BeTrue();
        updated.Metadata.ResourceVersion.Should().NotBe(made.Object.Metadata.ResourceVersion);
        updated.Metadata.Labels.Should().Equal(new Dictionary<string, string> { ["a"] = "b" });
        var stored = await api.TryGetAsync(path, ClusterJson.Default.Lease, CancellationToken.None);
        stored!.Spec.Should().Be(new LeaseSpec { HolderIdentity = "two" }, "the duration was not in what replaced it");
    }

    [Test]
    public async Task Says_that_a_name_is_taken_and_throws_other_refusals()
    {
        using var api = TestClient.Connect(server.Kubeconfig());
        var path = ResourcePath.Danm(ApiNames.IPAllocations, null);
        var allocation = new IPAllocation
        {
            Metadata = new ObjectMeta { Name = "10-0-0-1.untagged.ens4" },
            Spec = new IPAllocationSpec { Network = new NetworkRef(NetworkKind.DanmNet, "ns", "n"), Address = "10.0.0.1/24" },
        };

        var (made, none) = await api.TryCreateAsync(path, allocation, ApiJson.Default.IPAllocation, CancellationToken.None);
        var (nothing, exists) = await api.TryCreateAsync(path, allocation, ApiJson.Default.IPAllocation, CancellationToken.None);
        allocation.Spec.Address = "none";
        var invalid = () => api.TryCreateAsync(path, allocation, ApiJson.Default.IPAllocation, CancellationToken.None);

        none.Should().BeNull();
        made.Object.Metadata.Uid.Should().NotBeNullOrEmpty();
        nothing.Object.Should().BeNull();
        exists!.IsAlreadyExists.Should().BeTrue();
        exists.Message.Should().Contain("10-0-0-1.untagged.ens4");
        ((int?)(await invalid.Should().ThrowAsync<ApiException>()).Which.Code).Should().Be(422);
    }

    [Test]
    public async Task Reads_from_a_server_whose_certificate_has_its_name() =>
        (await ReadAsync(server.Kubeconfig())).Should().Be("a");

    [TestCase("localhost", true)]
    [TestCase("elsewhere.example", false)]
    public async Task Checks_the_name_that_tls_server_name_says(string name, bool accepted)
    {
        var kubeconfig = server.Kubeconfig().Replace("\"server\":", $"\"tls-server-name\":\"{name}\",\"server\":", StringComparison.Ordinal);
        kubeconfig.Should().Contain("tls-server-name");
        var read = () => ReadAsync(kubeconfig);

        if (accepted)
            (await read()).Should().Be("a");
        else
        {
            // Of the right authority, but for another name.
            (await read.Should().ThrowAsync<ApiException>()).WithMessage("*certificate*").Which.Code.Should().BeNull();
            server.Requests.All.Should().BeEmpty();
        }
    }

    [Test]
    public async Task Refuses_a_certificate_of_another_authority()
    {
        await using var other = await EmbeddedApiServer.StartAsync();
        var read = () => ReadAsync(server.Kubeconfig(new KubeconfigOptions { CertificateAuthorityPem = other.CertificateAuthority.Certificate.ExportCertificatePem() }));

        await read.Should().ThrowAsync<ApiException>();
    }

    [Test]
    public async Task A_conflict_on_delete_of_the_very_object_is_no_success()
    {
        using var client = Client(server.Kubeconfig());
        var path = ResourcePath.Core("pods", "default", "a");
        var uid = (await client.TryGetMetadataAsync(path, ApiJson.Default.Pod, CancellationToken.None))!.Metadata.Uid;
        server.Faults.Add(new Fault(Fault.On("delete", "pods")) { Count = 1, Answer = Fault.Conflict() });

        await client.Invoking(c => c.DeleteAsync(path, uid, CancellationToken.None)).Should().ThrowAsync<ApiException>();

        (await client.DeleteAsync(path, Guid.NewGuid().ToString(), CancellationToken.None)).Should().BeFalse("another object has the name");
        server.Store.Get("v1", "Pod", "default", "a").Should().NotBeNull();
        (await client.DeleteAsync(path, uid, CancellationToken.None)).Should().BeTrue();
        server.Store.Get("v1", "Pod", "default", "a").Should().BeNull();
    }

    [Test]
    public async Task A_delete_of_what_must_not_have_changed_takes_nothing_that_has()
    {
        using var client = Client(server.Kubeconfig());
        var path = ResourcePath.Core("pods", "default", "a");
        var read = (await client.TryGetMetadataAsync(path, ApiJson.Default.Pod, CancellationToken.None))!.Metadata;
        var expected = new Preconditions { Uid = read.Uid, ResourceVersion = read.ResourceVersion };
        server.Faults.Add(new Fault(Fault.On("delete", "pods")) { Count = 1, Answer = Fault.Conflict() });

        await client.Invoking(c => c.DeleteIfAsync(path, expected, CancellationToken.None)).Should().ThrowAsync<ApiException>("it has not changed: the server has its own reasons");
        var pod = server.Store.Get("v1", "Pod", "default", "a")!;
        pod.Child("metadata")["labels"] = new System.Text.Json.Nodes.JsonObject { ["changed"] = "true" };
        var changed = server.Store.Update(pod).At("metadata", "resourceVersion").String();

        (await client.DeleteIfAsync(path, expected, CancellationToken.None)).Should().BeFalse();
        server.Store.Get("v1", "Pod", "default", "a").Should().NotBeNull();
        (await client.DeleteIfAsync(path, new Preconditions { Uid = read.Uid, ResourceVersion = changed }, CancellationToken.None)).Should().BeTrue();
        (await client.DeleteIfAsync(path, expected, CancellationToken.None)).Should().BeFalse("it is gone");
    }

    private static async Task<string?> ReadAsync(string kubeconfig)
    {
        using var client = Client(kubeconfig);
        return (await client.TryGetAsync(ResourcePath.Core("pods", "default", "a"), ApiJson.Default.Pod, CancellationToken.None))?.Metadata.Name;
    }

    private static ApiClient Client(string kubeconfig)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, kubeconfig);
            return new ApiClient(KubeConfig.Load(file), TimeSpan.FromSeconds(10));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
