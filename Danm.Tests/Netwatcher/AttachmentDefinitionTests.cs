using Danm.Api;
using Danm.HostLinks;
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
        read.Rewrite.Should().Be(new DefinitionRewrite("""{ "cniVersion":"0.3.1",  "name":"radio","type":"macvlan","vlan":500,"master" : "radio.500","mode":"bridge","x":[1.50,{"y":"é"}] }""", "radio.500", "ens4"));
    }

    [Test]
    public void A_list_is_read_plugin_by_plugin()
    {
        var read = Read("""{"name":"c","plugins":[{"type":"tuning"},{"type":"ipvlan","master":"ens4","vxlan":600},{"type":"macvlan","vlan":7,"master":"ens5"}]}""");

        read.Wishes.Select(w => w.Parent).Should().Equal(new ParentLink("vx_c", "ens4", Encapsulation.Vxlan, 600), new ParentLink("c.7", "ens5", Encapsulation.Vlan, 7));
        read.Rewrite.Should().Be(new DefinitionRewrite("""{"name":"c","plugins":[{"type":"tuning"},{"type":"ipvlan","master":"vx_c","vxlan":600},{"type":"macvlan","vlan":7,"master":"c.7"}]}""", "vx_c,c.7", "ens4,ens5"));
    }

    [Test]
    public void What_has_been_led_there_is_read_by_its_annotation_and_not_written_again()
    {
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"radio.500"}""", "radio.500", "ens4");

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
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"ens9"}""", "radio.500", "ens4");

        read.Wishes.Should().ContainSingle().Which.Parent.HostDevice.Should().Be("ens9");
        read.Rewrite!.Devices.Should().Be("ens9");
    }

    [Test]
    public void Where_only_the_device_is_written_down_it_is_the_one_of_what_is_led_there()
    {
        var read = Read("""{"name":"radio","type":"macvlan","vlan":500,"master":"radio.500"}""", null, "ens4");

        read.Wishes.Should().ContainSingle().Which.Parent.Should().Be(new ParentLink("radio.500", "ens4", Encapsulation.Vlan, 500));
        read.Rewrite.Should().Be(new DefinitionRewrite(read.Object.Spec.Config!, "radio.500", "ens4"));
    }

    // The interfaces that were led to are radio.500 on ens4 and radio.501 on ens5.
    [TestCase("""{"name":"radio","vlan":510,"master":"radio.500"}""", """{"name":"radio","vlan":510,"master":"radio.510"}""", "radio.510", "ens4", TestName = "Another_id_is_one_on_the_same_device")]
    [TestCase("""{"name":"tv","vlan":500,"master":"radio.500"}""", """{"name":"tv","vlan":500,"master":"tv.500"}""", "tv.500", "ens4", TestName = "Another_name_is_one_on_the_same_device")]
    [TestCase("""{"name":"radio","vxlan":600,"master":"radio.501"}""", """{"name":"radio","vxlan":600,"master":"vx_radio"}""", "vx_radio", "ens5", TestName = "A_VxLAN_instead_of_a_VLAN_is_one_on_the_same_device")]
    [TestCase("""{"name":"radio","master":"radio.500"}""", """{"name":"radio","master":"ens4"}""", null, null, TestName = "Without_an_id_it_is_the_device_again")]
    [TestCase("""{"name":"radio","vlan":0,"master":"radio.501"}""", """{"name":"radio","vlan":0,"master":"ens5"}""", null, null, TestName = "With_id_0_it_is_the_device_again")]
    [TestCase("""{"name":"radio","master":"ens4"}""", """{"name":"radio","master":"ens4"}""", null, null, TestName = "What_is_its_device_again_by_its_owner_needs_no_annotation")]
    [TestCase("""{"name":"radio","plugins":[{"vlan":501,"master":"radio.501"}]}""", """{"name":"radio","plugins":[{"vlan":501,"master":"radio.501"}]}""", "radio.501", "ens5", TestName = "A_plugin_that_goes_takes_nothing_of_the_others_with_it")]
    [TestCase("""{"name":"radio","plugins":[{"vlan":7,"master":"ens9"},{"vlan":501,"master":"radio.501"},{"vlan":500,"master":"radio.500"}]}""", """{"name":"radio","plugins":[{"vlan":7,"master":"radio.7"},{"vlan":501,"master":"radio.501"},{"vlan":500,"master":"radio.500"}]}""", "radio.7,radio.501,radio.500", "ens9,ens5,ens4", TestName = "Plugins_may_change_places")]
    [TestCase("""{"name":"radio","plugins":[{"vlan":500,"master":"radio.500"},{"vlan":500,"master":"ens4"}]}""", """{"name":"radio","plugins":[{"vlan":500,"master":"radio.500"},{"vlan":500,"master":"radio.500"}]}""", "radio.500", "ens4", TestName = "Two_plugins_may_share_one")]
    public void What_its_owner_changes_is_read_by_what_was_led(string config, string becomes, string? interfaces, string? devices)
    {
        var read = Read(config, "radio.500,radio.501", "ens4,ens5");

        read.Problem.Should().BeNull();
        read.Rewrite.Should().Be(new DefinitionRewrite(becomes, interfaces, devices));
        read.Wishes.Select(w => (w.Parent.Name, w.Parent.HostDevice)).Should().Equal((interfaces?.Split(',') ?? []).Zip(devices?.Split(',') ?? []));
        Read(becomes, interfaces, devices).Rewrite.Should().BeNull("it is as it must be then");
    }

    [Test]
    public void What_was_led_is_held_only_while_the_configuration_cannot_be_used()
    {
        Read("{", "radio.500,radio.501", "ens4,ens5").Held.Should().Equal("radio.500", "radio.501");
        Read("""{"name":"radio","vlan":500,"master":"radio.500"}""").Held.Should().Equal("radio.500");
        Read("""{"name":"radio","vlan":500,"master":"ens4"}""", "radio.500,radio.501", "ens4,ens5").Held.Should().BeEmpty();
    }

    [TestCase(600, "2026-01-01T00:00:00Z", true, TestName = "An_older_one_with_the_same_id_shares_it")]
    [TestCase(700, "2026-01-01T00:00:00Z", false, TestName = "An_older_one_with_another_id_keeps_it_to_itself")]
    [TestCase(700, "2026-01-03T00:00:00Z", true, TestName = "A_younger_one_does_not_count")]
    public void It_is_led_to_no_other_networks_interface(int id, string created, bool may)
    {
        var read = Read("""{"name":"radio","vxlan":600,"master":"ens4"}""");
        var other = new WantedLink("ClusterNetwork/radio", new ParentLink("vx_radio", "ens9", Encapsulation.Vxlan, id), null, created);

        read.MayBeLed(read.Wishes.Append(other).ToLookup(w => w.Parent.Name)).Should().Be(may);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4"}""")]
    [TestCase("""{"name":"a","type":"bridge","vlan":500}""")]
    [TestCase("""{"name":"a","type":"x","master":"ens4","vlan":"trunk"}""")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":0}""")]
    [TestCase("""{"name":"a","type":"x","master":null,"vlan":5}""")]
    [TestCase("""{"name":"a","type":"x","master":["ens4"],"vlan":5}""")]
    public void Others_are_none_of_our_business(string? config)
    {
        var read = Read(config);

        (read.Wishes.Count, read.Problem, read.Rewrite).Should().Be((0, null, null));
    }

    [TestCase("{", "spec.config")]
    [TestCase("[]", "spec.config")]
    [TestCase("""{"name":"a","master":"ens4","vlan":5} x""", "spec.config")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":5000}""", "vlan: \"5000\" must be 1 to 4094")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":-5}""", "vlan: \"-5\" must be 1 to 4094")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":5,"vxlan":6}""", "vxlan: \"6\" cannot stand beside vlan 5")]
    [TestCase("""{"name":"a","plugins":[{"master":"ens4","vxlan":5},{"master":"ens4","vxlan":6}]}""", "two plugins want \"vx_a\", one as VxLAN 5 on \"ens4\", one as VxLAN 6 on \"ens4\"")]
    [TestCase("""{"name":"a","plugins":[{"master":"ens4","vlan":5},{"master":"ens5","vlan":5}]}""", "two plugins want \"a.5\"")]
    [TestCase("""{"name":"a","type":"macvlan","master":"ens4","vlan":1.5}""", "vlan")]
    [TestCase("""{"name":"../x","type":"macvlan","master":"ens4","vlan":5}""", "../x")]
    [TestCase("""{"name":"a","type":"macvlan","master":"../ens4","vlan":5}""", "../ens4")]
    [TestCase("""{"type":"macvlan","master":"ens4","vlan":5}""", "name: is missing")]
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

    private static AttachmentDefinition Read(string? config, string? interfaces = null, string? devices = null)
    {
        var annotations = new Dictionary<string, string>();
        if (interfaces is not null)
            annotations[ApiNames.HostInterfaceAnnotation] = interfaces;
        if (devices is not null)
            annotations[NetworkAttachmentDefinition.OriginalMasterAnnotation] = devices;
        return AttachmentDefinition.Read(new NetworkAttachmentDefinition
        {
            Metadata = new ObjectMeta { Name = "nad", Namespace = "ns", CreationTimestamp = "2026-01-02T00:00:00Z", Annotations = annotations },
            Spec = new NetworkAttachmentSpec { Config = config },
        });
    }
}
