using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>Runs against whatever <see cref="TestCluster"/> picks.</summary>
public sealed class ClusterTests
{
    [Test]
    public async Task Applies_manifests_and_handles_objects()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.ApplyAsync(WireTests.Data("widgets.yaml"));
        var made = await cluster.CreateAsync(JsonNode.Parse("""{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"size":3}}""")!);
        made.At("spec", "colour").String().Should().Be("red");
        made["spec"]!["size"] = 4;
        await cluster.UpdateAsync(made);
        (await cluster.ListAsync("example.io/v1", "Widget")).Should().ContainSingle().Which.At("spec", "size")!.GetValue<int>().Should().Be(4);
        await cluster.DeleteAsync("example.io/v1", "Widget", "a");
        (await cluster.GetAsync("example.io/v1", "Widget", "a")).Should().BeNull();
        var refused = () => cluster.CreateAsync(JsonNode.Parse("""{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"b"},"spec":{"size":0}}""")!);
        (await refused.Should().ThrowAsync<HttpRequestException>()).WithMessage("*422*greater than or equal to 1*");
    }
}
