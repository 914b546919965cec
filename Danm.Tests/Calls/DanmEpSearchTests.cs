using Danm.Api;
using Danm.Attach;
using Danm.Calls;
using Danm.State;

namespace Danm.Tests.Calls;

public class DanmEpSearchTests
{
    [Test]
    public void A_DanmEp_does_not_choose_the_namespace_that_interfaces_are_removed_in()
    {
        var forged = new DanmEp
        {
            Metadata = new ObjectMeta { Name = "ep", Namespace = "tenant", Uid = "u" },
            Spec = new DanmEpSpec
            {
                Interface = new DanmEpInterface { Name = "eth0" },
                Pod = "amf-0",
                ContainerId = "c",
                Netns = "/run/netns/of-another-pod",
            },
        };

        var record = DanmEpSearch.ToRecord([forged], new SandboxRecord { ContainerId = "c", PodUid = "p", PodNamespace = "tenant" });

        record.PodName.Should().Be("amf-0");
        record.Attachments.Should().ContainSingle().Which.Interface.Should().Be("eth0");
        SandboxInterfaces.RecordedNetns(record).Should().BeNull();
    }
}
