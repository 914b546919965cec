using Danm.Doctor.Cluster;

namespace Danm.Tests.Doctor;

/// <summary>What is taken for a part of the original is about to be deleted by whoever reads it: nobody else's workload may be.</summary>
[TestFixture, Parallelizable]
public sealed class OriginalCheckTests
{
    [TestCase("DaemonSet", "kube-system", "danm-cni", "danm-cni-plugins")]
    [TestCase("DaemonSet", "kube-system", "netwatcher", "netwatcher")]
    [TestCase("DaemonSet", "kube-system", "svcwatcher", "svcwatcher")]
    [TestCase("Deployment", "kube-system", "danm-webhook-deployment", "webhook")]
    [TestCase("DaemonSet", "elsewhere", "danm-cleaner", "cleaner")]
    public void Is_of_the_original(string kind, string ns, string name, string program) =>
        OriginalCheck.Judge(Of(kind, ns, name, program)).Should().NotBeNull();

    [TestCase("Deployment", "kube-system", "cloud-admission", "webhook")]
    [TestCase("Deployment", "other", "danm-webhook-deployment", "webhook")]
    [TestCase("DaemonSet", "kube-system", "street", "cleaner")]
    [TestCase("DaemonSet", "kube-system", "kube-proxy", "kube-proxy")]
    public void Is_anybody_else_s(string kind, string ns, string name, string program) =>
        OriginalCheck.Judge(Of(kind, ns, name, program)).Should().BeNull();

    [TestCase("DaemonSet", "netwatcher", "netwatcher")]
    [TestCase("Deployment", "danm-webhook-deployment", "webhook")]
    public void Ours_under_the_original_s_image_name_is_ours(string kind, string name, string program) =>
        OriginalCheck.Judge(Of(kind, "kube-system", name, program) with { Arguments = [program] }).Should().BeNull();

    private static Workload Of(string kind, string ns, string name, string program) => new(kind, ns, name, "default", [program], []);
}
