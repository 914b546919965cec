using System.Text;
using Danm.Api;
using Danm.Attach;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Attach.Delegation;

/// <summary>What delegates of every version answer, and what becomes of it.</summary>
public sealed class DelegateResultTests
{
    private const string Bridge = """
        {"cniVersion":"1.0.0","interfaces":[{"name":"br0","mac":"02:00:00:00:00:01"},{"name":"veth1"},{"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/run/netns/x"}],
         "ips":[{"interface":2,"address":"10.7.0.5/24","gateway":"10.7.0.1"},{"interface":0,"address":"10.7.0.1/24"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.7.0.1"}],
         "dns":{"nameservers":["10.7.0.1"],"search":["a"]}}
        """;

    private const string Old = """{"cniVersion":"0.2.0","ip4":{"ip":"10.8.0.5/24","gateway":"10.8.0.1","routes":[{"dst":"10.9.0.0/16"}]},"ip6":{"ip":"fd08::5/64"},"dns":{"nameservers":["10.8.0.1","10.7.0.1"],"domain":"d"}}""";

    private static readonly CniInterface Made = new("eth0") { Mac = "02:00:00:00:00:07", Mtu = 1400, Sandbox = "/run/netns/x" };

    [TestCase(Bridge, "10.7.0.5/24")]
    [TestCase(Old, "10.8.0.5/24,fd08::5/64")]
    [TestCase("""{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.5/24"},{"address":"10.7.0.6/24","interface":9}]}""", "10.7.0.5/24,10.7.0.6/24")]
    [TestCase("""{"cniVersion":"1.0.0","interfaces":[{"name":"eth0"}],"ips":[{"address":"10.7.0.5/24","interface":0}]}""", "10.7.0.5/24")]
    [TestCase("""{"cniVersion":"1.0.0"}""", "")]
    public void The_addresses_of_the_Pod_are_found(string answer, string addresses) =>
        string.Join(',', DelegateResult.AddressesOf(Read(answer), "eth0")).Should().Be(addresses);

    [Test]
    public void What_the_answer_leaves_out_of_the_interface_the_kernel_knows()
    {
        var result = DelegateResult.Complete(Read(Bridge), "eth0", Made);

        result.Interfaces.Select(i => (i.Name, i.Mac, i.Mtu, i.Sandbox)).Should().Equal(
            ("br0", "02:00:00:00:00:01", (uint?)null, (string?)null), ("veth1", null, null, null), ("eth0", "02:00:00:00:00:02", 1400u, "/run/netns/x"));
        result.Ips.Select(i => i.Interface).Should().Equal(2, 0);
    }

    [TestCase(Old, 0)]
    [TestCase("""{"cniVersion":"1.0.0","interfaces":[{"name":"br0"},{"name":"eth0"}],"ips":[{"address":"10.7.0.5/24"}]}""", 2)]
    public void An_interface_that_it_does_not_list_is_added(string answer, int place)
    {
        var result = DelegateResult.Complete(Read(answer), "eth0", Made);

        result.Interfaces.Should().HaveCount(place + 1);
        result.Interfaces[place].Should().Be(Made);
        result.Ips.Should().OnlyContain(i => i.Interface == place);
    }

    [Test]
    public void Results_of_many_versions_become_one_with_right_indexes()
    {
        var result = ResultBuilder.Build([Interface("eth0", Bridge), Interface("net1", null, "10.0.0.5/24"), Interface("net2", Old)], "/run/netns/x");

        result.Interfaces.Select(i => (i.Name, i.Sandbox)).Should().Equal(
            ("br0", null), ("veth1", null), ("eth0", "/run/netns/x"), ("net1", "/run/netns/x"), ("net2", "/run/netns/x"));
        result.Ips.Select(i => (i.Address.ToString(), i.Gateway?.ToString(), result.Interfaces[i.Interface!.Value].Name)).Should().Equal(
            ("10.7.0.5/24", "10.7.0.1", "eth0"), ("10.7.0.1/24", null, "br0"), ("10.0.0.5/24", null, "net1"), ("10.8.0.5/24", "10.8.0.1", "net2"), ("fd08::5/64", null, "net2"));
        result.Routes.Select(r => (r.Destination.ToString(), r.Gateway?.ToString())).Should().Equal(("0.0.0.0/0", "10.7.0.1"), ("10.9.0.0/16", null));
        result.Dns!.Nameservers.Should().Equal("10.7.0.1", "10.8.0.1");
        (result.Dns.Domain, string.Join(',', result.Dns.Search)).Should().Be(("d", "a"));
    }

    [TestCase("0.1.0")]
    [TestCase("0.2.0")]
    [TestCase("0.3.0")]
    [TestCase("0.3.1")]
    [TestCase("0.4.0")]
    [TestCase("1.0.0")]
    [TestCase("1.1.0")]
    public void The_merged_result_can_be_told_in_every_version(string version)
    {
        SpecVersion.TryParse(version, out var parsed).Should().BeTrue();
        var merged = ResultBuilder.Build([Interface("eth0", Bridge), Interface("net1", Old)], "/run/netns/x");

        var told = CniResultReader.Read(CniResultWriter.Write(merged, parsed), "it");

        told.Ips[0].Address.Should().Be(CidrAddress.Parse("10.7.0.5/24"));
        if (!parsed.HasSingleAddresses)
            told.Ips.Select(i => told.Interfaces[i.Interface!.Value].Name).Should().Equal("eth0", "br0", "net1", "net1");
    }

    [Test]
    public void A_delegate_without_an_interface_in_the_kernel_keeps_its_answer()
    {
        var outside = Interface("net1", """{"cniVersion":"1.1.0","interfaces":[{"name":"net1","sandbox":"/run/netns/x","socketPath":"/run/vhost"}]}""") with { Link = null };

        var result = ResultBuilder.Build([outside], "/run/netns/x");

        result.Interfaces.Should().ContainSingle().Which.SocketPath.Should().Be("/run/vhost");
        outside.Warnings.Should().ContainSingle(w => w.Contains("net1") && w.Contains("is not in the Pod"));
        outside.ToRecord().IsOutsideKernel.Should().BeTrue();
    }

    private static AttachedInterface Interface(string name, string? answer, params string[] addresses)
    {
        var network = AttachmentPlannerTests.Network(new NetworkOptions { HostDevice = "ens4", Cidr = "10.0.0.0/24" });
        var attachment = AttachmentPlannerTests.Plan([AttachmentPlannerTests.Ask(network)], [network])[0] with { Interface = name };
        return new AttachedInterface(
            attachment, [.. addresses.Select(a => CidrAddress.Parse(a))], new Link { Index = 7, Name = name, Mtu = 1400, Address = new MacAddress([2, 0, 0, 0, 0, 7]) }, RoutePlan.Of(network, attachment.Request, true, false))
        {
            Result = answer is null ? null : Read(answer),
        };
    }

    private static CniResult Read(string answer) => CniResultReader.Read(Encoding.UTF8.GetBytes(answer), "the result");
}
