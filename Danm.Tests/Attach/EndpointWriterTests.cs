using Danm.Api;
using Danm.Attach;
using Danm.Calls;
using Danm.Networks;
using Danm.State;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Attach;

/// <summary>What a DanmEp says of the wire that its interface stands on.</summary>
public sealed class EndpointWriterTests : AttachFixture
{
    private const string Label = "danm.io/segment";

    [TestCase("ipvlan", "ens4", 500, null, "vlan500.ens4")]
    [TestCase("macvlan", "ens4", null, 600, "vxlan600.ens4")]
    [TestCase("ipvlan", "ens4", null, null, null)]
    public async Task It_says_the_wire_of_an_id_as_an_address_on_it_does(string type, string device, int? vlan, int? vxlan, string? wire)
    {
        var network = Network(type, device, vlan, vxlan);
        await WriteAsync(network);

        var written = Server.Store.List("danm.io/v1", "DanmEp").Should().ContainSingle().Subject;
        written.At("metadata", "labels", Label).String().Should().Be(wire);
        if (wire is not null)
            Segment.Of(network).Text.Should().Be(wire, "it is that of the addresses");
    }

    [Test]
    public async Task One_of_an_earlier_try_on_another_wire_is_made_anew()
    {
        await WriteAsync(Network("ipvlan", "ens4", 500, null));
        await WriteAsync(Network("ipvlan", "ens4", 501, null));

        Server.Store.List("danm.io/v1", "DanmEp").Should().ContainSingle().Which.At("metadata", "labels", Label).String().Should().Be("vlan501.ens4");
    }

    private async Task WriteAsync(Network network)
    {
        var attachment = AttachmentPlannerTests.Plan([AttachmentPlannerTests.Ask(network)], [network])[0];
        using var journal = await State.CreateAsync();
        var book = new ClaimBook(journal, new SandboxRecord { ConfigName = "danm", ContainerId = "c1", PodUid = PodUid, PodNamespace = "default", PodName = "amf-0", Netns = "/run/netns/x", Claims = [.. attachment.Claims] }, []);

        await new EndpointWriter(Api, Sandbox("c1"), book).CreateAsync(attachment, [], CancellationToken.None);
    }

    private static Network Network(string type, string device, int? vlan, int? vxlan) =>
        AttachmentPlannerTests.Network(new NetworkOptions { HostDevice = device, Vlan = vlan, Vxlan = vxlan, Cidr = "10.0.0.0/24" }, type);
}
