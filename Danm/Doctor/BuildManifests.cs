using System.Text;
using System.Text.Json;
using Danm.Kube;

namespace Danm.Doctor;

/// <summary>The manifests of this build, which are part of the executable: what a cluster ought to have.</summary>
internal static class BuildManifests
{
    private const string Root = "manifests/";

    /// <summary>The objects of a folder below manifests/, of every file or of one.</summary>
    /// <param name="folder">cni, netwatcher, crds, …; its subfolders are not in it.</param>
    /// <param name="kinds">Which kinds; empty: all.</param>
    public static IReadOnlyList<Document> Of(string folder, params IReadOnlyList<string> kinds)
    {
        var assembly = typeof(BuildManifests).Assembly;
        var objects = new List<Document>();
        foreach (var name in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            if (!name.StartsWith(Root, StringComparison.Ordinal) || Path.GetDirectoryName(name) != Root + folder)
                continue;
            using var text = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
            foreach (var json in YamlJson.AllToJson(text.ReadToEnd()))
            {
                using var document = JsonDocument.Parse(json);
                var read = new Document(document.RootElement.Clone());
                if (kinds.Count == 0 || kinds.Contains(read["kind"].Text))
                    objects.Add(read);
            }
        }

        return objects;
    }
}
