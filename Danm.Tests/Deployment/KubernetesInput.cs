using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>What <c>Kubernetes/judge</c> asks Kubernetes' own code about: the objects of manifests/, and the requests of <see cref="AdmissionPolicyTests"/>.</summary>
internal static class KubernetesInput
{
    /// <summary>Writes it as <c>objects.json</c> and <c>requests.json</c>.</summary>
    public static async Task<int> WriteAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var examples = Directory.EnumerateFiles(Path.Combine(DanmBinary.Repository, "manifests/examples"), "*.yaml", SearchOption.AllDirectories).SelectMany(f => Yaml.Documents(File.ReadAllText(f)));
        var objects = new JsonArray([.. ManifestTests.AllObjects().Concat(examples).Select(o => o.DeepClone())]);
        var requests = new JsonArray([.. AdmissionPolicyTests.Rows().Select((row, i) =>
        {
            var request = row.Request.ToAttributes($"row-{i}");
            (request["What"], request["Refusal"]) = (row.What, row.Refusal);
            return request;
        })]);
        await File.WriteAllTextAsync(Path.Combine(folder, "objects.json"), objects.ToJsonString());
        await File.WriteAllTextAsync(Path.Combine(folder, "requests.json"), requests.ToJsonString());
        return 0;
    }
}
