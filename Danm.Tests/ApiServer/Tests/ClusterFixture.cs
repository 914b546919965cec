using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>One cluster for all tests of a fixture, embedded or real.</summary>
public abstract class ClusterFixture
{
    private int made;

    protected ITestCluster Cluster { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartCluster() => Cluster = await TestCluster.StartAsync();

    [OneTimeTearDown]
    public async Task StopCluster() => await Cluster.DisposeAsync();

    /// <summary>A name that no other test uses.</summary>
    protected string NewName() => $"o{Interlocked.Increment(ref made)}-{Guid.NewGuid():n}"[..20];

    protected async Task<(int Code, JsonObject Body, string[] Warnings)> Send(string method, string path, JsonNode? body = null, string media = "application/json", Impersonated? user = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        user?.ApplyTo(request);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, media);
        using var response = await Cluster.Http.SendAsync(request);
        var answer = (JsonObject)JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return ((int)response.StatusCode, answer, response.Headers.TryGetValues("Warning", out var warnings) ? [.. warnings] : []);
    }

    /// <summary>An object of a new name, with these fields besides.</summary>
    protected JsonObject New(string apiVersion, string kind, string fields)
    {
        var body = (JsonObject)JsonNode.Parse(fields)!;
        body["apiVersion"] = apiVersion;
        body["kind"] = kind;
        body["metadata"] ??= new JsonObject { ["name"] = NewName() };
        return body;
    }
}
