using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>The server must not be what a test of Danm's speed measures.</summary>
public sealed class SpeedTests
{
    [Test]
    public async Task Creates_cost_well_under_a_millisecond()
    {
        await using var server = await EmbeddedApiServer.StartAsync(new ApiServerOptions { Manifests = [WireTests.Data("widgets.yaml")] });
        Create(0, 200);
        var watch = Stopwatch.StartNew();
        Create(200, 2000);
        var each = watch.Elapsed / 2000;
        TestContext.Out.WriteLine($"{each.TotalMicroseconds:0} µs a create");
        each.Should().BeLessThan(TimeSpan.FromMilliseconds(1));

        void Create(int from, int count)
        {
            for (var i = from; i < from + count; i++)
                server.Store.Create(JsonNode.Parse($$$"""{"apiVersion":"example.io/v1","kind":"Widget","metadata":{"name":"w{{{i}}}"},"spec":{"size":3,"end":4}}""")!);
        }
    }
}
