using Danm.Cni;

namespace Danm.Tests.Cni;

public class CniArgsTests
{
    [Test]
    public void Reads_what_containerd_writes()
    {
        CniArgs.Parse("IgnoreUnknown=1;K8S_POD_NAMESPACE=kube-system;K8S_POD_NAME=web-0.a;K8S_POD_INFRA_CONTAINER_ID=0123abc;K8S_POD_UID=11111111-2222-3333-4444-555555555555")
            .Should().Be(new CniArgs
            {
                PodNamespace = "kube-system",
                PodName = "web-0.a",
                PodInfraContainerId = "0123abc",
                PodUid = "11111111-2222-3333-4444-555555555555",
            });
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase(";;")]
    [TestCase("FOO=BAR;ABC=1=2;IgnoreUnknown=0;X=")]
    [TestCase("K8S_POD_UID=;K8S_POD_NAME=")]
    [TestCase("k8s_pod_name=pod")]
    public void Reads_nothing_from_what_is_not_for_us(string? text) => CniArgs.Parse(text).Should().Be(new CniArgs());

    [TestCase("K8S_POD_NAME=UPPER")]
    [TestCase("K8S_POD_NAME=a..b")]
    [TestCase("K8S_POD_NAME=.a")]
    [TestCase("K8S_POD_NAME=a.")]
    [TestCase("K8S_POD_NAME=-a")]
    [TestCase("K8S_POD_NAME=a-")]
    [TestCase("K8S_POD_NAME=a.-b")]
    [TestCase("K8S_POD_NAME=a-.b")]
    [TestCase("K8S_POD_NAMESPACE=a/../b")]
    [TestCase("K8S_POD_NAMESPACE=a\nb")]
    [TestCase("K8S_POD_UID=12345678901234567890123456789012345678901234567890123456789012345")]
    [TestCase("K8S_POD_INFRA_CONTAINER_ID=../x")]
    [TestCase("nonsense")]
    public void Refuses_malformed_values_unless_lenient(string text)
    {
        FluentActions.Invoking(() => CniArgs.Parse(text)).Should().Throw<CniException>().Which.Code.Should().Be(4);
        CniArgs.Parse(text, lenient: true).Should().Be(new CniArgs());
    }

    [TestCase(63, true)]
    [TestCase(64, false)]
    public void Bounds_a_label_at_63_characters(int length, bool valid) =>
        CniNames.IsDnsSubdomain(new string('a', length)).Should().Be(valid);

    [TestCase(127, true)]
    [TestCase(128, false)]
    public void Bounds_a_name_at_253_characters(int labels, bool valid) =>
        CniNames.IsDnsSubdomain(string.Join('.', Enumerable.Repeat("a", labels))).Should().Be(valid);
}
