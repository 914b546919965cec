using System.Globalization;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube.Events;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Kube.Events;

/// <summary>Events as they end up in the embedded server.</summary>
[TestFixture]
public sealed class EventRecorderTests
{
    private readonly ObjectReference network = new() { ApiVersion = "danm.io/v1", Kind = "ClusterNetwork", Name = "external", Uid = "0c5f" };

    private EmbeddedApiServer server = null!;

    [SetUp]
    public async Task Start() => server = await EmbeddedApiServer.StartAsync(new ApiServerOptions());

    [TearDown]
    public async Task Stop() => await server.DisposeAsync();

    [Test]
    public async Task What_is_said_again_raises_the_count()
    {
        await SayAsync("node-1", e =>
        {
            e.Warn(network, "HostInterfaceNotReady", "no such device");
            e.Warn(network, "HostInterfaceNotReady", "no such device");
            e.Warn(network, "HostInterfaceNotReady", "another thing");
        });
        await SayAsync("node-1", e => e.Warn(network, "HostInterfaceNotReady", "no such device"));

        var events = Events();
        events.Select(e => (e["message"].String(), e["count"]!.GetValue<int>())).Should().BeEquivalentTo([("no such device", 3), ("another thing", 1)]);
        events[0].At("involvedObject", "uid").String().Should().Be("0c5f");
        events[0].At("metadata", "namespace").String().Should().Be("default", "that is where those of cluster-scoped objects are");
        events[0].At("source", "host").String().Should().Be("node-1");
    }

    [Test]
    public async Task What_a_thousand_nodes_say_of_one_network_is_one_Event_with_few_writes()
    {
        for (var node = 0; node < 20; node++)
            await SayAsync($"node-{node}", e => e.Warn(network, "HostInterfaceNotReady", "no such device"));

        Events().Should().ContainSingle().Which["count"]!.GetValue<int>().Should().Be(1);
    }

    [Test]
    public async Task Of_many_like_it_the_rest_become_one()
    {
        await SayAsync("node-1", e =>
        {
            for (var i = 0; i < 20; i++)
                e.Warn(network, "HostInterfaceNotReady", $"thing {i}");
        });

        var messages = Events().Select(e => e["message"].String()).ToList();
        messages.Should().HaveCount(11);
        messages.Should().ContainSingle(m => m!.StartsWith("(combined from similar events): ", StringComparison.Ordinal)).Which.Should().EndWith("thing 19");
    }

    [Test]
    public async Task One_object_cannot_fill_the_cluster_and_does_not_keep_others_from_being_heard()
    {
        var other = new ObjectReference { ApiVersion = "v1", Kind = "Pod", Namespace = "default", Name = "p", Uid = "77" };
        await SayAsync("node-1", e =>
        {
            for (var i = 0; i < 60; i++)
                e.Warn(network, $"Reason{i}", "thing");
            e.Tell(other, "Done", "all well");
        });

        var byKind = Events().ToLookup(e => e.At("involvedObject", "kind").String());
        byKind["ClusterNetwork"].Should().HaveCount(25);
        byKind["Pod"].Should().ContainSingle().Which["type"].String().Should().Be("Normal");
    }

    [Test]
    public async Task Control_characters_do_not_reach_a_terminal_and_what_is_too_long_is_cut()
    {
        await SayAsync("node-1", e => e.Warn(network, "HostInterfaceNotReady", "\u001b[31m" + new string('x', 5000)));

        var message = Events().Should().ContainSingle().Which["message"].String()!;
        message.Should().NotContain("\u001b");
        message.Length.Should().BeLessThan(1024);
    }

    [Test]
    public async Task A_server_that_refuses_is_no_failure()
    {
        var api = TestClient.Connect(server.Kubeconfig(), TimeSpan.FromSeconds(1));
        await Stop();
        await using (var events = new EventRecorder(api, "danm", "node-1"))
            events.Warn(network, "HostInterfaceNotReady", "no such device");
        api.Dispose();
        await Start();
    }

    private List<JsonNode> Events() => [.. server.Store.List("v1", "Event").OrderBy(e => e.At("metadata", "creationTimestamp").String(), StringComparer.Ordinal)];

    private async Task SayAsync(string node, Action<EventRecorder> say)
    {
        using var api = TestClient.Connect(server.Kubeconfig());
        await using var events = new EventRecorder(api, "danm-netwatcher", node);
        say(events);
    }
}
