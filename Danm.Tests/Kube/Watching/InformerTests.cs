using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Kube.Watching;

/// <summary>Lists and watches of the embedded API server.</summary>
[TestFixture, Parallelizable]
public sealed class InformerTests
{
    private static readonly InformerOptions ShortWatches = new() { WatchTime = TimeSpan.FromSeconds(2), AbsentGrace = TimeSpan.FromSeconds(0.3), AbsentPause = TimeSpan.FromSeconds(0.3) };
    private static readonly ResourcePath Networks = ResourcePath.Danm("clusternetworks", null);

    private EmbeddedApiServer server = null!;

    [SetUp]
    public async Task Start() => server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
    {
        Manifests = [Path.Combine(DanmBinary.Repository, "manifests/crds")],
        BookmarkInterval = TimeSpan.FromSeconds(0.3),
    });

    [TearDown]
    public async Task Stop() => await server.DisposeAsync();

    [Test]
    public async Task A_list_of_many_pages_is_read_to_its_end()
    {
        Seed(1201);
        await using var run = Run();

        await UntilAsync(() => run.Informer.State.Should().Be(InformerState.Listed));

        run.Informer.Items.Should().HaveCount(1201);
        var pages = server.Requests.Where("list", "clusternetworks");
        pages.Should().HaveCount(3).And.OnlyContain(p => p.Query.Contains("limit=500"));
        pages.Select(p => p.Query.Contains("continue=")).Should().Equal(false, true, true);
        run.Heard.Should().HaveCount(1202).And.EndWith("listed");
    }

    [Test]
    public async Task What_is_deleted_while_the_server_is_away_is_announced_after_the_whole_list()
    {
        Seed(600);
        await using var run = Run(ShortWatches);
        await UntilAsync(() => run.Heard.Should().EndWith("listed").And.HaveCount(601));
        server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        await UntilAsync(() => run.Failures.Should().NotBeEmpty());
        Delete("n0000");
        Delete("n0599");
        Change("n0300");
        server.Store.Create(Network("n9999"));
        server.Store.Compact();
        var release = new TaskCompletionSource();
        server.Faults.Clear();
        server.Faults.Add(new Fault(r => r.Verb == "list" && r.Query.Contains("continue=")) { Hold = () => release.Task });

        await UntilAsync(() => server.Requests.Where("list", "clusternetworks").Should().Contain(r => r.Query.Contains("continue=") && r.Status == 0));
        await Task.Delay(300);
        run.Heard.Should().HaveCount(601, "half a list says nothing");
        run.Informer.Items.Should().HaveCount(600);
        release.SetResult();

        await UntilAsync(() => run.Heard[601..].Should().BeEquivalentTo("~n0300", "+n9999", "-n0000", "-n0599", "listed"));
        run.Heard[^1].Should().Be("listed");
        run.Informer.Items.Should().HaveCount(599);
    }

    [Test]
    public async Task A_list_that_expires_between_two_pages_begins_anew()
    {
        Seed(1001);
        server.Faults.Add(new Fault(r => r.Query.Contains("continue="))
        {
            Count = 1,
            Hold = () =>
            {
                Delete("n0000");
                server.Store.Compact();
                return Task.CompletedTask;
            },
        });
        await using var run = Run();

        await UntilAsync(() => run.Informer.State.Should().Be(InformerState.Listed));

        run.Failures.Should().ContainSingle().Which.Should().Contain("410");
        run.Informer.Items.Should().HaveCount(1000);
        server.Requests.Count("list", "clusternetworks").Should().Be(2 + 2);
        run.Heard.Should().NotContain("+n0000");
    }

    [Test]
    public async Task A_watch_from_a_version_that_is_gone_leads_to_a_list()
    {
        server.Store.Create(Network("a"));
        server.Faults.Add(new Fault(Fault.On("watch", "clusternetworks")) { Count = 1, Answer = StatusException.Expired("too old resource version") });
        await using var run = Run();

        await UntilAsync(() => server.Requests.Count("list", "clusternetworks").Should().Be(2));
        server.Store.Create(Network("b"));

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "listed", "+b"));
        run.Failures.Should().BeEmpty();
    }

    [Test]
    public async Task A_version_that_goes_while_it_is_watched_leads_to_a_list()
    {
        server.Store.Create(Network("a"));
        server.Faults.Add(new Fault(Fault.On("watch", "clusternetworks"))
        {
            Count = 1,
            Body = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"reason\":\"Expired\",\"code\":410}}\n"u8.ToArray(),
        });
        await using var run = Run();

        await UntilAsync(() => server.Requests.Count("list", "clusternetworks").Should().Be(2));
        Delete("a");

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "listed", "-a"));
        run.Failures.Should().BeEmpty();
    }

    [Test]
    public async Task Changes_are_heard_as_they_happen()
    {
        await using var run = Run();
        await UntilAsync(() => run.Heard.Should().Equal("listed"));

        server.Store.Create(Network("a"));
        Change("a");
        Delete("a");

        await UntilAsync(() => run.Heard.Should().Equal("listed", "+a", "~a", "-a"));
        run.Informer.Items.Should().BeEmpty();
        server.Requests.Count("list", "clusternetworks").Should().Be(1);
    }

    [Test]
    public async Task A_bookmark_moves_the_version_on_and_is_no_change()
    {
        await using var run = Run(ShortWatches with { Query = "&labelSelector=danm.io%2Fnode%3Dnode-1" });
        await UntilAsync(() => server.Requests.Count("watch", "clusternetworks").Should().Be(1));
        for (var i = 0; i < 5; i++)
            server.Store.Create(Network($"other{i}", "node-2"));
        var version = server.Store.ResourceVersion;

        await UntilAsync(() => server.Requests.Where("watch", "clusternetworks").Should().Contain(r => r.Query.Contains($"resourceVersion={version}&")));

        run.Heard.Should().Equal("listed");
        server.Requests.Count("list", "clusternetworks").Should().Be(1);
    }

    [Test]
    public async Task After_a_time_without_an_answer_the_watch_goes_on_without_a_list()
    {
        await using var run = Run(ShortWatches);
        await UntilAsync(() => run.Heard.Should().Equal("listed"));
        server.Faults.Add(new Fault(_ => true) { DropBefore = true });
        await UntilAsync(() => run.Failures.Length.Should().BeGreaterThan(1));
        server.Store.Create(Network("a"));
        server.Faults.Clear();

        await UntilAsync(() => run.Heard.Should().Equal("listed", "+a"));
        server.Requests.Count("list", "clusternetworks").Should().Be(1);
    }

    [Test]
    public async Task A_kind_may_be_missing_come_and_go()
    {
        var crd = server.Store.Get("apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "clusternetworks.danm.io")!;
        server.Store.Delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "clusternetworks.danm.io");
        await using var run = Run(ShortWatches);
        await UntilAsync(() => run.Informer.State.Should().Be(InformerState.Absent));

        crd["metadata"]!.AsObject().Remove("resourceVersion");
        crd["metadata"]!.AsObject().Remove("uid");
        server.Store.Create(crd);
        server.Store.Create(Network("a"));
        await UntilAsync(() => run.Heard.Should().Contain("+a"));
        run.Informer.State.Should().Be(InformerState.Listed);

        server.Store.Delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "clusternetworks.danm.io");
        await UntilAsync(() => run.Informer.State.Should().Be(InformerState.Absent));
        run.Heard.Should().Contain("-a");
        run.Informer.Items.Should().BeEmpty();
    }

    [Test]
    public async Task Only_what_is_selected_is_known_and_what_leaves_the_selection_goes()
    {
        server.Store.Create(Network("here", "node-1"));
        server.Store.Create(Network("there", "node-2"));
        await using var run = Run(new InformerOptions { Query = $"&labelSelector={Uri.EscapeDataString("danm.io/node=node-1")}" });
        await UntilAsync(() => run.Heard.Should().Equal("+here", "listed"));

        Change("there", "node-1");
        Change("here", "node-2");
        server.Store.Create(Network("elsewhere", "node-2"));
        server.Store.Create(Network("last", "node-1"));

        await UntilAsync(() => run.Heard.Should().Equal("+here", "listed", "+there", "-here", "+last"));
        run.Names.Should().Equal("last", "there");
    }

    [Test]
    public async Task Metadata_is_all_that_comes_where_it_is_enough()
    {
        server.Store.Create(Objects.Pod("a", "[]"));
        await using var run = RunPods(new InformerOptions { MetadataOnly = true });
        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed"));
        server.Store.Create(Objects.Pod("b", "[]"));
        await UntilAsync(() => run.Heard.Should().EndWith("+b"));

        run.Informer.Items.Should().OnlyContain(p => p.Spec.NodeName == null && p.Metadata.Annotations!["danm.io/interfaces"] == "[]" && p.Metadata.Uid != null);
        await using var whole = RunPods(new InformerOptions());
        await UntilAsync(() => whole.Informer.Items.Should().HaveCount(2).And.OnlyContain(p => p.Spec.NodeName == "node-1"));

        InformerRun<Pod> RunPods(InformerOptions options) => new(server.Kubeconfig(), ResourcePath.Core("pods", null), ApiJson.Default.Pod, options);
    }

    [Test]
    public void Who_manages_which_fields_is_not_kept()
    {
        var read = JsonSerializer.Deserialize("""{"metadata":{"name":"a","managedFields":[{"manager":"kubectl","fieldsV1":{"f:spec":{}}}]}}""", ApiJson.Default.Network)!;

        JsonSerializer.Serialize(read, ApiJson.Default.Network).Should().Contain("\"name\":\"a\"").And.NotContain("anager").And.NotContain("f:spec");
    }

    [TestCase("list")]
    [TestCase("watch")]
    [TestCase("back-off")]
    public async Task It_ends_at_once_whatever_it_is_at(string at)
    {
        if (at != "watch")
            server.Faults.Add(at == "list" ? new Fault(Fault.On("list")) { Delay = TimeSpan.FromMinutes(1) } : new Fault(_ => true) { DropBefore = true });
        await using var run = Run();
        await UntilAsync(() => server.Requests.All.Should().Contain(r => r.Resource == "clusternetworks" && r.Verb == (at == "watch" ? "watch" : "list")));
        if (at == "back-off")
            await UntilAsync(() => run.Failures.Should().NotBeEmpty());

        await run.Invoking(r => r.StopAsync()).Should().NotThrowAsync();
    }

    private InformerRun<Network> Run(InformerOptions? options = null) => new(server.Kubeconfig(), Networks, ApiJson.Default.Network, options);

    private static Task UntilAsync(Action holds) => InformerRun<Network>.UntilAsync(holds);

    private static JsonObject Network(string name, string node = "node-0")
    {
        var network = Objects.Network("ClusterNetwork", name, """{"NetworkID":"n"}""");
        network["metadata"]!["labels"] = new JsonObject { ["danm.io/node"] = node };
        return network;
    }

    private void Seed(int count) => server.Store.Load("danm.io/v1", "ClusterNetwork", Enumerable.Range(0, count).Select(i => Network($"n{i:0000}")));

    private void Change(string name, string node = "changed")
    {
        var network = (JsonObject)server.Store.Get("danm.io/v1", "ClusterNetwork", null, name)!.DeepClone();
        network["metadata"]!["labels"]!["danm.io/node"] = node;
        server.Store.Update(network);
    }

    private void Delete(string name) => server.Store.Delete("danm.io/v1", "ClusterNetwork", null, name);
}
