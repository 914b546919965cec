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

    /// <summary>Whether a live workload has it turned on.</summary>
    public bool IsOn(Document workload) => workload["spec"]["template"]["spec"]["containers"].Items.SelectMany(c => c["args"].Texts).Contains(Flag);
}
