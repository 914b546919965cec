using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Tests;
using Danm.Tests.EndToEnd;
using Danm.Tests.EndToEnd.Webhook;

namespace Danm.Tests.Deployment;

/// <summary>The examples as somebody applies them: every field known to the server. What becomes of them, others test.</summary>
public sealed class ExampleManifestTests : ClusterFixture
{
    private static IEnumerable<string> Files => Directory.EnumerateFiles(Example.Folder, "*.yaml", SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Example.Folder, f)).Order(StringComparer.Ordinal);

    [OneTimeSetUp]
    public async Task DefineKinds()
    {
        await Cluster.ApplyAsync(Path.Combine(DanmBinary.Repository, "manifests/crds"));
        var namespaces = Files.SelectMany(ObjectsOf).Select(o => o["kind"].String() == "Namespace" ? o.At("metadata", "name").String() : o.At("metadata", "namespace").String());
        foreach (var name in namespaces.OfType<string>().Distinct().Except(["default", "kube-system"]))
            await Cluster.CreateAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } });
    }

    [TestCaseSource(nameof(Files))]
    public async Task Has_no_field_that_is_unknown(string file)
    {
        var objects = ObjectsOf(file).ToList();
        foreach (var one in objects)
        {
            var (code, body, warnings) = await Send("POST", await Cluster.PathAsync(one) + "?fieldValidation=Strict&dryRun=All", one);
            // The namespaces are there already, and what is to be denied may be so by the definition: a field that is unknown is neither.
            int[] expected = one["kind"].String() == "Namespace" ? [409] : one == objects[^1] && IsToBeDenied(file) ? [201, 422] : [201];
            expected.Should().Contain(code, "{0} {1}: {2}", one["kind"], one.At("metadata", "name"), body);
            warnings.Should().BeEmpty();
        }
    }

    private static bool IsToBeDenied(string file) => !file.Contains('/') && new Example(file).Denied is not null;

    private static IEnumerable<JsonObject> ObjectsOf(string file) => Yaml.Documents(File.ReadAllText(Path.Combine(Example.Folder, file)));
}
