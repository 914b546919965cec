using Danm.Api;
using Danm.Netwatcher;
using Danm.Networks;

namespace Danm.Tests.Netwatcher;

public sealed class AttachmentDefinitionTests
{
    [Test]
    public void A_plain_configuration_leads_to_its_VLAN_and_the_rest_stays_to_the_letter()
    {
        var read = Read("""{ "cniVersion":"0.3.1",  "name":"radio","type":"macvlan","vlan":500,"master" : "ens4","mode":"bridge","x":[1.50,{"y":"é"}] }""");

        read.Problem.Should().BeNull();
        read.Wishes.Should().ContainSingle().Which.Parent.Should().Be(new ParentLink("radio.500", "ens4", Encapsulation.Vlan, 500));
        read.Rewrite.Should().Be(new DefinitionRewrite("""{ "cniVersion":"0.3.1",  "name":"radio","type":"macvlan","vlan":500,"master" : "radio.500","mode":"bridge","x":[1.50,{"y":"é"}] }""", "ens4"));
    }

    [Test]
    public void A_list_is_read_plugin_by_plugin()
    {
        var read = Read("""{"name":"c","plugins":[{"type":"tuning"},{"type":"ipvlan","master":"ens4","vxlan":600},{"type":"macvlan","vlan":7,"master":"ens5"}]}""");

        read.Wishes.Select(w => w.Parent).Should().Equal(new ParentLink("vx_c", "ens4", Encapsulation.Vxlan, 600), new ParentLink("c.7", "ens5", Encapsulation.Vlan, 7));
        read.Rewrite.Should().Be(new DefinitionRewrite("""{"name":"c","plugins":[{"type":"tuning"},{"type":"ipvlan","master":"vx_c","vxlan":600},{"type":"macvlan","vlan":7,"master":"c.7"}]}""", "ens4,ens5"));
    }

    [Test]
    public void What_has_been_led_there_is_read_by_its_annotation_and_not_written_again()
    {
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"radio.500"}""", "ens4");

        read.Wishes.Should().ContainSingle().Which.Parent.HostDevice.Should().Be("ens4");
        read.Rewrite.Should().BeNull();
    }

    [Test]
    public void Led_there_by_somebody_who_wrote_nothing_down_is_a_problem()
    {
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"radio.500"}""");

        read.Wishes.Should().BeEmpty();
        read.Problem.Should().Contain("danm.io/original-master");
    }

    [Test]
    public void A_new_master_is_a_new_device()
    {
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"ens9"}""", "ens4");

        read.Wishes.Should().ContainSingle().Which.Parent.HostDevice.Should().Be("ens9");
        read.Rewrite!.OriginalMaster.Should().Be("ens9");
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4"}""")]
    [TestCase("""{"name":"a","type":"bridge","vlan":500}""")]
    [TestCase("""{"name":"a","type":"x","master":"ens4","vlan":"trunk"}""")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":0}""")]
    public void Others_are_none_of_our_business(string? config)
    {
        var read = Read(config);

        (read.Wishes.Count, read.Problem, read.Rewrite).Should().Be((0, null, null));
    }

    [TestCase("{", "spec.config")]
    [TestCase("[]", "spec.config")]
    [TestCase("""{"name":"a","master":"ens4","vlan":5} x""", "spec.config")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":5000}""", "5000")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":1.5}""", "vlan")]
    [TestCase("""{"name":"../x","type":"macvlan","master":"ens4","vlan":5}""", "../x")]
    [TestCase("""{"name":"a","type":"macvlan","master":"../ens4","vlan":5}""", "../ens4")]
    [TestCase("""{"type":"macvlan","master":"ens4","vlan":5}""", "NetworkID")]
    [TestCase("""{"name":"abcdefghijklmnop","type":"macvlan","master":"ens4","vlan":5}""", "abcdefghijklmnop")]
    [TestCase("""{"name":1,"plugins":[]}""", "name")]
    [TestCase("""{"name":"a","plugins":{}}""", "plugins")]
    public void What_cannot_be_used_says_why(string config, string why)
    {
        var read = Read(config);

        read.Wishes.Should().BeEmpty();
        read.Rewrite.Should().BeNull();
        read.Problem.Should().Contain(why);
    }

    private static AttachmentDefinition Read(string? config, string? master = null) => AttachmentDefinition.Read(new NetworkAttachmentDefinition
    {
        Metadata = new ObjectMeta
        {
            Name = "nad", Namespace = "ns", Annotations = master is null ? null : new() { [NetworkAttachmentDefinition.OriginalMasterAnnotation] = master },
        },
        Spec = new NetworkAttachmentSpec { Config = config },
    });
}
