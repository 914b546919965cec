using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>What becomes of the addresses of a node, by what becomes of the node.</summary>
[TestFixture, Parallelizable]
public sealed class NodeLossTests : ControllerFixture
{
    private const string OutOfService = "node.kubernetes.io/out-of-service", Unreachable = "node.kubernetes.io/unreachable";

    private const double Grace = 5;

    [SetUp]
    public void Cluster()
    {
        Node("node-1");
        Node("node-2");
        Attach("of-1", "node-1");
        Attach("of-2", "node-2");
    }

    [Test]
    public async Task A_node_that_is_deleted_loses_them_after_the_grace_and_no_other_node_does()
    {
        await using var controller = await StartLeaderAsync($"--node-grace={Grace}s");
        DeleteNode("node-1");

        await Eventually.HoldsAsync(() => controller.Log.Should().Contain("node node-1 is absent"));
        await Task.Delay(TimeSpan.FromSeconds(Grace - 2));
        Attached().Should().Equal("of-1", "of-2");

        await Eventually.HoldsAsync(() => Attached().Should().Equal("of-2"));
        await Eventually.HoldsAsync(() => controller.Log.Should().Contain("node node-1 is gone: 2 of its addresses and interfaces are freed"));
        (await controller.StopAsync()).Should().Be(0, controller.Log);
    }

    [Test]
    public async Task A_node_that_was_deleted_before_the_controller_started_does_too()
    {
        DeleteNode("node-1");

        await using var controller = Start($"--node-grace={Grace}s");

        await Eventually.HoldsAsync(() => Attached().Should().Equal("of-2"), seconds: 20);
    }

    [Test]
    public async Task A_node_that_comes_back_within_the_grace_keeps_them()
    {
        await using var controller = await StartLeaderAsync($"--node-grace={Grace}s");
        DeleteNode("node-1");
        await Eventually.HoldsAsync(() => controller.Log.Should().Contain("node node-1 is absent"));
        Node("node-1");

        await Eventually.HoldsAsync(() => controller.Log.Should().Contain("node node-1 is there again"));
        await Task.Delay(TimeSpan.FromSeconds(Grace));

        Attached().Should().Equal("of-1", "of-2");
    }

    [Test]
    public async Task One_that_comes_back_and_goes_again_has_the_whole_grace_anew()
    {
        await using var controller = await StartLeaderAsync($"--node-grace={Grace}s");
        DeleteNode("node-1");
        await Eventually.HoldsAsync(() => controller.Log.Should().Contain("node node-1 is absent"));
        await Task.Delay(TimeSpan.FromSeconds(Grace - 2));
        Node("node-1");
        await Task.Delay(TimeSpan.FromSeconds(0.5));
        DeleteNode("node-1");

        await Task.Delay(TimeSpan.FromSeconds(Grace - 1.5));
        Attached().Should().Equal("of-1", "of-2");
        await Eventually.HoldsAsync(() => Attached().Should().Equal("of-2"));
    }

    [TestCase("False")]
    [TestCase("Unknown")]
    public async Task A_node_that_is_tainted_out_of_service_and_not_ready_loses_them_at_once(string ready)
    {
        await using var controller = await StartLeaderAsync();
        Node("node-1", ready, OutOfService);

        await Eventually.HoldsAsync(() => Attached().Should().Equal("of-2"));
    }

    [Test]
    public async Task One_that_is_tainted_but_ready_keeps_them_and_gets_an_Event_until_it_is_down()
    {
        await using var controller = await StartLeaderAsync();
        Node("node-1", "True", OutOfService);

        await Eventually.HoldsAsync(() =>
        {
            var e = Server.Store.List("v1", "Event").Should().ContainSingle().Subject;
            e["reason"].String().Should().Be("OutOfServiceButReady");
            e.At("involvedObject", "name").String().Should().Be("node-1");
            e.At("source", "component").String().Should().Be("danm-controller");
        });
        Attached().Should().Equal("of-1", "of-2");

        Node("node-1", "False", OutOfService);
        await Eventually.HoldsAsync(() => Attached().Should().Equal("of-2"));
    }

    [Test]
    public async Task One_that_only_cannot_be_reached_keeps_them_however_many_passes_there_are()
    {
        await using var controller = await StartLeaderAsync("--node-grace=1s");
        Node("node-1", "Unknown", Unreachable);

        for (var pass = 0; pass < 3; pass++)
        {
            Node($"other-{pass}", "False", OutOfService);
            Attach($"of-other-{pass}", $"other-{pass}");
            DeleteNode($"other-{pass}");
            await Eventually.HoldsAsync(() => Attached().Should().Equal("of-1", "of-2"));
        }
    }
}
