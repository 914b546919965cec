using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Patches;

namespace Danm.Tests.Deployment;

/// <summary>
/// What <c>kubectl kustomize</c> makes of a folder of manifests/, for machines whose kubectl is too old for it: resources, components and
/// patches. Any other field is refused.
/// </summary>
internal static class Kustomization
{
    public const string FileName = "kustomization.yaml";

    /// <summary>The objects of a folder with a kustomization.</summary>
    public static List<JsonObject> Build(string folder) => Extend([], folder, "Kustomization");

    /// <summary>The same with optional components.</summary>
    public static List<JsonObject> Build(string folder, params string[] components) =>
        components.Aggregate(Build(folder), (objects, component) => Extend(objects, component, "Component"));

    private static List<JsonObject> Extend(List<JsonObject> objects, string folder, string kind)
    {
        var file = Yaml.Documents(File.ReadAllText(Path.Combine(folder, FileName))).Single();
        file["kind"].String().Should().Be(kind, "{0} is used as one", folder);
        foreach (var (field, value) in file)
        {
            switch (field)
            {
                case "apiVersion" or "kind":
                    break;
                case "resources":
                    foreach (var path in value!.AsArray().Select(r => Path.Combine(folder, r.String()!)))
                        objects.AddRange(Directory.Exists(path) ? Build(path) : Yaml.Documents(File.ReadAllText(path)));
                    break;
                case "components":
                    foreach (var component in value!.AsArray())
                        objects = Extend(objects, Path.Combine(folder, component.String()!), "Component");
                    break;
                case "patches":
                    foreach (var patch in value!.AsArray().Cast<JsonObject>())
                        Patch(objects, patch, folder);
                    break;
                default:
                    throw new NotSupportedException($"{folder}: {field}");
            }
        }

        return objects;
    }

    private static void Patch(List<JsonObject> objects, JsonObject patch, string folder)
    {
        var text = patch["patch"].String() ?? File.ReadAllText(Path.Combine(folder, patch["path"].String()!));
        if (text.TrimStart().StartsWith('-'))
        {
            var steps = Yaml.Documents("steps:\n" + text).Single()["steps"]!.AsArray();
            Replace(objects, patch["target"]!, o => JsonPatch.Apply(o, steps));
            return;
        }

        foreach (var merge in Yaml.Documents(text))
        {
            var wanted = new JsonObject { ["kind"] = merge["kind"].String(), ["name"] = merge.At("metadata", "name").String() };
            Replace(objects, wanted, o => merge["$patch"].String() == "delete" ? null : StrategicMergePatch.Apply(o, merge));
        }
    }

    private static void Replace(List<JsonObject> objects, JsonNode target, Func<JsonObject, JsonObject?> change)
    {
        var index = objects.FindIndex(o => o["kind"].String() == target["kind"].String() && o.At("metadata", "name").String() == target["name"].String());
        index.Should().BeGreaterThanOrEqualTo(0, "a patch is for {0}", target);
        var changed = change(objects[index]);
        objects.RemoveAt(index);
        if (changed is not null)
            objects.Insert(index, changed);
    }
}
