using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>YAML files on disk.</summary>
public static class Manifests
{
    /// <summary>The objects of a file, or of all *.yaml and *.yml files in a folder and below it, in name order; kustomizations are none.</summary>
    public static IEnumerable<JsonObject> Read(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*.y*ml", SearchOption.AllDirectories).Where(f => Path.GetFileName(f) != "kustomization.yaml").Order(StringComparer.Ordinal).SelectMany(f => Yaml.Documents(File.ReadAllText(f)))
        : Yaml.Documents(File.ReadAllText(path));
}
