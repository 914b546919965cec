using Danm.Api;
using Danm.Attach;
using Danm.Cni;
using Danm.Kube;
using Danm.Networks;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kube;

namespace Danm.Tests.Attach;

public sealed class PodReaderTests
{
    private EmbeddedApiServer server = null!;
    private ApiClient api = null!;
    private PodReader reader = null!;

    [SetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")] });
        api = TestClient.Connect(server.Kubeconfig());
        reader = new PodReader(api);
    }

    [TearDown]
    public async Task Stop()
    {
        api.Dispose();
        await server.DisposeAsync();
    }

    [TestCase("uid-1", null, null, "uid-1")]
    [TestCase("uid-1", null, "uid-1", "uid-1")]
    [TestCase("uid-1", "0123456789abcdef", "0123456789abcdef", "0123456789abcdef")]
    [TestCase("uid-1", "0123456789abcdef", "uid-1", "uid-1")]
    [TestCase("uid-1", "0123456789abcdef", null, "uid-1")]
    [TestCase("uid-1", null, "uid-2", 11)]
    [TestCase("uid-1", "0123456789abcdef", "fedcba9876543210", 11)]
    [TestCase(null, null, "uid-1", 106)]
    [TestCase("", null, null, 106)]
    [TestCase("../x", null, "../x", 106)]
    [TestCase("a_b", null, null, 106)]
    public void The_runtimes_uid_is_the_Pods_or_its_static_Pods(string? uid, string? mirror, string? requested, object expected)
    {
        var pod = new Pod
        {
            Metadata = new ObjectMeta { Name = "p", Namespace = "ns", Uid = uid, Annotations = mirror is null ? null : new() { ["kubernetes.io/config.mirror"] = mirror } },
        };
        var identity = () => PodSandbox.IdentityOf(pod, requested);

        if (expected is string text)
            identity().Should().Be(text);
        else
            identity.Should().Throw<CniException>().WithMessage("*ns/p*").Which.Code.Should().Be((int)expected);
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_Pod_is_read_as_far_as_needed(bool withSpec)
    {
        server.Store.Create(Objects.Pod("p", "[]"));

        var pod = await reader.ReadPodAsync("default", "p", withSpec, CancellationToken.None);

        pod.Metadata.Should().BeEquivalentTo(new { Name = "p", Namespace = "default" });
        pod.Metadata.Uid.Should().NotBeNullOrEmpty();
        pod.Spec.NodeName.Should().Be(withSpec ? "node-1" : null);
    }

    [Test]
    public async Task A_Pod_that_is_not_there_may_come_or_be_gone() =>
        (await reader.Awaiting(r => r.ReadPodAsync("default", "p", false, CancellationToken.None)).Should().ThrowAsync<CniException>())
            .WithMessage("*Pod default/p does not exist*").Which.Code.Should().Be(CniErrorCode.TryAgainLater);

    [TestCase("danm.io/interfaces")]
    [TestCase("danm.k8s.io/interfaces")]
    public async Task Networks_come_in_the_annotations_order_and_each_is_read_once(string key)
    {
        server.Store.Create(Objects.Network("DanmNet", "a", "{\"NetworkID\":\"ida\"}"));
        server.Store.Create(Objects.Network("TenantNetwork", "a", "{\"NetworkID\":\"idt\"}"));
        server.Store.Create(Objects.Network("ClusterNetwork", "a", "{\"NetworkID\":\"idc\"}"));
        server.Faults.Add(new Fault(Fault.On("get")) { Delay = TimeSpan.FromMilliseconds(200) });

        var (requests, networks) = await ReadAsync("""[{"clusterNetwork":"a"},{"network":"a","ip":"dynamic"},{"tenantNetwork":"a"},{"network":"a"}]""", key);

        networks.Select(n => (n.Kind, n.Spec.NetworkId, n.Ref.ToString())).Should().Equal(
            (NetworkKind.ClusterNetwork, "idc", "ClusterNetwork/a"), (NetworkKind.DanmNet, "ida", "DanmNet/default/a"),
            (NetworkKind.TenantNetwork, "idt", "TenantNetwork/default/a"), (NetworkKind.DanmNet, "ida", "DanmNet/default/a"));
        requests.Select(r => r.Position).Should().Equal(0, 1, 2, 3);
        requests[1].IPv4.Should().Be(IPRequest.Dynamic);
        server.Requests.Where("get").Should().HaveCount(3);
        server.Requests.MaxConcurrency.Should().Be(3, "they are asked for at once");
    }

    [Test]
    public async Task All_networks_that_are_missing_are_named()
    {
        server.Store.Create(Objects.Network("DanmNet", "there", "{}"));

        (await this.Awaiting(t => t.ReadAsync("""[{"network":"there"},{"network":"gone"},{"clusterNetwork":"gone"}]""")).Should().ThrowAsync<CniException>())
            .WithMessage("DanmNet/default/gone, ClusterNetwork/gone *does not exist*").Which.Code.Should().Be(CniErrorCode.InvalidNetwork);
    }

    [TestCase("ClusterNetwork", NetworkKind.ClusterNetwork)]
    [TestCase("ClusterNetwork TenantNetwork", NetworkKind.TenantNetwork)]
    [TestCase("ClusterNetwork TenantNetwork DanmNet", NetworkKind.DanmNet)]
    public async Task Who_asks_for_nothing_gets_the_nearest_default_network(string kinds, NetworkKind expected)
    {
        foreach (var kind in kinds.Split(' '))
            server.Store.Create(Objects.Network(kind, "default", """{"Options":{"host_device":"ens4","net6":"fd00::/64"}}"""));
        // Another namespace's is none of ours.
        server.Store.Create(Objects.Network("DanmNet", "default", "{}", "kube-system"));

        foreach (var annotation in (string?[])[null, "null", "[]"])
        {
            var (requests, networks) = await ReadAsync(annotation);
            networks.Should().ContainSingle().Which.Kind.Should().Be(expected);
            requests.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Position = 0, IPv4 = default(IPRequest), IPv6 = IPRequest.Dynamic });
        }
    }

    [Test]
    public async Task Without_annotation_and_default_network_the_message_says_what_to_make() =>
        (await this.Awaiting(t => t.ReadAsync(null)).Should().ThrowAsync<CniException>())
            .WithMessage("*danm.io/interfaces*\"default\"*namespace default*").Which.Code.Should().Be(CniErrorCode.InvalidAnnotation);

    [Test]
    public async Task A_default_network_that_cannot_be_read_is_not_passed_over()
    {
        server.Store.Create(Objects.Network("ClusterNetwork", "default", "{}"));
        server.Faults.Add(new Fault(Fault.On("get", "danmnets")) { Answer = StatusException.Forbidden("no") });

        await this.Awaiting(t => t.ReadAsync(null)).Should().ThrowAsync<ApiException>();
    }

    [TestCase("[{\"network\":\"a\",\"clusterNetwork\":\"b\"}]")]
    [TestCase("[{}]")]
    [TestCase("{")]
    public async Task An_annotation_that_cannot_be_meant_names_Pod_and_place(string annotation) =>
        (await this.Awaiting(t => t.ReadAsync(annotation)).Should().ThrowAsync<CniException>())
            .WithMessage("Pod default/p: danm.io/interfaces*").Which.Code.Should().Be(CniErrorCode.InvalidAnnotation);

    private Task<(IReadOnlyList<AttachmentRequest> Requests, IReadOnlyList<Network> Networks)> ReadAsync(string? annotation, string key = "danm.io/interfaces") =>
        reader.ReadNetworksAsync(
            new Pod { Metadata = new ObjectMeta { Name = "p", Namespace = "default", Annotations = annotation is null ? null : new() { [key] = annotation } } }, CancellationToken.None);
}
