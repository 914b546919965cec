using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Clusters;

/// <summary>An API server for integration tests, embedded or real; tests see it over HTTP only.</summary>
public interface ITestCluster : IAsyncDisposable
{
    Uri Url { get; }

    /// <summary>Authorized as an administrator.</summary>
    HttpClient Http { get; }

    string Kubeconfig(KubeconfigOptions? options = null);
}

/// <summary>What tests do with a cluster, whichever it is.</summary>
public static class TestClusterRequests
{
    /// <summary>Creates everything in a file or folder, CustomResourceDefinitions first and waited for.</summary>
    public static async Task ApplyAsync(this ITestCluster cluster, string path)
    {
        foreach (var document in Manifests.Read(path).OrderBy(d => d["kind"].String() == "CustomResourceDefinition" ? 0 : 1))
        {
            await cluster.CreateAsync(document);
            if (document["kind"].String() == "CustomResourceDefinition")
                await cluster.EstablishedAsync(document.At("metadata", "name").String()!);
        }
    }

    public static async Task<JsonObject> CreateAsync(this ITestCluster cluster, JsonNode body)
    {
        var path = await cluster.PathAsync(body);
        return (await cluster.SendAsync(HttpMethod.Post, path, body))!;
    }

    public static async Task<JsonObject> UpdateAsync(this ITestCluster cluster, JsonNode body, string? subresource = null)
    {
        var path = await cluster.PathAsync(body);
        return (await cluster.SendAsync(HttpMethod.Put, $"{path}/{body.At("metadata", "name").String()}{(subresource is null ? "" : "/" + subresource)}", body))!;
    }

    /// <returns>Null if there is no such object.</returns>
    public static async Task<JsonObject?> GetAsync(this ITestCluster cluster, string apiVersion, string kind, string name, string ns = "default") =>
        await cluster.SendAsync(HttpMethod.Get, $"{await cluster.PathAsync(apiVersion, kind, ns)}/{name}");

    public static async Task<IReadOnlyList<JsonObject>> ListAsync(this ITestCluster cluster, string apiVersion, string kind, string ns = "default") =>
        [.. (await cluster.SendAsync(HttpMethod.Get, await cluster.PathAsync(apiVersion, kind, ns)))!["items"]!.AsArray().Cast<JsonObject>()];

    /// <summary>At once, without a kubelet's grace. An object that is gone already is no error.</summary>
    public static async Task DeleteAsync(this ITestCluster cluster, string apiVersion, string kind, string name, string ns = "default") =>
        await cluster.SendAsync(HttpMethod.Delete, $"{await cluster.PathAsync(apiVersion, kind, ns)}/{name}?gracePeriodSeconds=0");

    private static async Task EstablishedAsync(this ITestCluster cluster, string name)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(30); DateTime.UtcNow < deadline; await Task.Delay(50))
        {
            var crd = await cluster.SendAsync(HttpMethod.Get, $"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            if ((crd.At("status", "conditions") as JsonArray)?.Any(c => c.At("type").String() == "Established" && c.At("status").String() == "True") == true)
                return;
        }
        throw new TimeoutException($"{name} was not established");
    }

    /// <summary>Where objects like this one are created.</summary>
    public static Task<string> PathAsync(this ITestCluster cluster, JsonNode body) =>
        cluster.PathAsync(body["apiVersion"].String()!, body["kind"].String()!, body.At("metadata", "namespace").String() ?? "default");

    private static async Task<string> PathAsync(this ITestCluster cluster, string apiVersion, string kind, string ns)
    {
        var root = apiVersion.Contains('/') ? $"/apis/{apiVersion}" : $"/api/{apiVersion}";
        // A real server tells of a new kind some time after its definition is established.
        for (var deadline = DateTime.UtcNow.AddSeconds(10); DateTime.UtcNow < deadline; await Task.Delay(50))
        {
            var resources = await cluster.SendAsync(HttpMethod.Get, root);
            if ((resources?["resources"] as JsonArray)?.FirstOrDefault(r => r.At("kind").String() == kind && !r.At("name").String()!.Contains('/')) is { } resource)
                return resource.At("namespaced")!.GetValue<bool>() ? $"{root}/namespaces/{ns}/{resource.At("name").String()}" : $"{root}/{resource.At("name").String()}";
        }

        throw new InvalidOperationException($"{kind} of {apiVersion} is not served");
    }

    /// <returns>Null for 404.</returns>
    /// <exception cref="HttpRequestException">Any other refusal, with the server's message.</exception>
    private static async Task<JsonObject?> SendAsync(this ITestCluster cluster, HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        using var response = await cluster.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode == 404 && method != HttpMethod.Post)
            return null;
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"{method} {path}: {(int)response.StatusCode} {text}", null, response.StatusCode);
        return JsonNode.Parse(text) as JsonObject;
    }
}
