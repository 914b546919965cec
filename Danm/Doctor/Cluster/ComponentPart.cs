namespace Danm.Doctor.Cluster;

/// <summary>Something that a component does only with a flag, and needs more rights for.</summary>
/// <param name="Folder">The folder of manifests/ that has them.</param>
/// <param name="Flag">The flag, with its value if it has one.</param>
internal sealed record ComponentPart(string Folder, string Flag)
{
    /// <summary>How its rights are given.</summary>
    public string Apply => $"kubectl apply -f manifests/{Folder}/rbac.yaml";

    /// <summary>How they are taken away.</summary>
    public string Remove => $"kubectl delete -f manifests/{Folder}/rbac.yaml";

    /// <summary>Whether a live workload has it turned on, in any spelling that its command line takes.</summary>
    public bool IsOn(Document workload) => workload["spec"]["template"]["spec"]["containers"].Items.Any(IsOnIn);

    private bool IsOnIn(Document container)
    {
        string[] words = [.. container["command"].Texts, .. container["args"].Texts];
        var (flag, wanted) = Split(Flag);
        for (var i = 0; i < words.Length; i++)
        {
            var (name, value) = Split(words[i]);
            if (name != flag)
                continue;
            var next = words.ElementAtOrDefault(i + 1);
            value ??= wanted is null && next is not ("true" or "false") ? "true" : next;
            return value == (wanted ?? "true");
        }

        return false;
    }

    private static (string Name, string? Value) Split(string word) => word.IndexOfAny(['=', ':']) is > 0 and var end ? (word[..end], word[(end + 1)..]) : (word, null);
}
