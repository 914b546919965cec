using System.Text.Json;
using Danm.Api;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class TenantConfigAdmissionTests
{
    [TestCaseSource(typeof(TenantConfigCases), nameof(TenantConfigCases.All))]
    public void A_broken_rule_is_named_with_its_field_and_its_neighbour_passes(RuleCase rule)
    {
        var old = rule.Old is null ? null : Make(rule.Old);

        var fault = TenantConfigAdmission.Check(Make(rule.Rejected), old).Faults.Should().ContainSingle().Subject;
        fault.Field.Should().Be(rule.Field);
        fault.Message.Should().EndWith($" (rule {rule.Rule})");
        TenantConfigAdmission.Check(Make(rule.Accepted), old).Faults.Should().BeEmpty();
    }

    [Test]
    public void All_faults_come_at_once()
    {
        TenantConfigAdmission.Check(Make("""{"hostDevices":[{"name":""},{"name":"ens4","vniType":"VLAN","vniRange":"x"},null],"networkIds":{"":"","ipvlan":"elevenchars"}}"""), null)
            .Faults.Select(fault => $"{fault}").Should().SatisfyRespectively(
                text => text.Should().Be("hostDevices[0].name: is missing (rule C2)"),
                text => text.Should().Be("hostDevices[1].vniType: \"VLAN\" must be vlan or vxlan (rule C4)"),
                text => text.Should().Be("hostDevices[2]: must be an object with a name (rule C2)"),
                text => text.Should().StartWith("networkIds: \"\" is no NetworkType: "),
                text => text.Should().StartWith("networkIds[]: \"\" is no NetworkID: "),
                text => text.Should().Be("networkIds[ipvlan]: \"elevenchars\" may have at most 10 characters for ipvlan, macvlan and sriov (rule C8)"));
    }

    private const string Legacy = """{"hostDevices":[{"name":"ens5"},{"name":"ens4","vniType":"vlan","vniRange":"20-10","alloc":"gA=="}],"networkIds":{"ipvlan":"elevenchars"}}""";

    [TestCase(Legacy, TestName = "Nothing, or metadata only")]
    [TestCase("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"20-10","alloc":"gA=="}],"networkIds":{"ipvlan":"elevenchars","bridge":"b"}}""",
        TestName = "An entry before it goes, another NetworkID comes")]
    public void What_was_broken_before_is_let_through_with_a_warning(string config)
    {
        var verdict = TenantConfigAdmission.Check(Make(config), Make(Legacy));

        verdict.Faults.Should().BeEmpty();
        verdict.Warnings.Should().SatisfyRespectively(
            text => text.Should().Match("kept as it was: hostDevices[?].vniRange: \"20-10\" must have the lower end of each range first*(rule C5)"),
            text => text.Should().StartWith("kept as it was: networkIds[ipvlan]: \"elevenchars\""));
    }

    [TestCase("""{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"21-10"}]}""", "hostDevices[0].vniRange")]
    [TestCase("""{"hostDevices":[{"name":"ens5"},{"name":"ens6","vniType":"vlan","vniRange":"20-10"}]}""", "hostDevices[1].vniRange")]
    [TestCase("""{"networkIds":{"IPVLAN":"elevenchars"}}""", "networkIds[IPVLAN]")]
    [TestCase("{}", "hostDevices")]
    public void What_changes_is_judged(string config, string field) =>
        TenantConfigAdmission.Check(Make(config), Make(Legacy)).Faults.Should().ContainSingle().Which.Field.Should().Be(field);

    [TestCase("""{"hostDevices":[{"name":"a","vniType":"vlan","vniRange":"1-10"},{"name":"b"},{"name":"a","vniType":"vlan","vniRange":"10-20"}]}""", "hostDevices[2] gives out ids of hostDevices[0] too*")]
    [TestCase("""{"hostDevices":[{"name":"a","vniType":"vlan","vniRange":"1-10"},{"name":"a","vniType":"vlan","vniRange":"11-20"}]}""")]
    [TestCase("""{"hostDevices":[{"name":"a","vniType":"vlan","vniRange":"1-10"},{"name":"a","vniType":"vxlan","vniRange":"1-10"}]}""")]
    [TestCase("""{"hostDevices":[{"name":"a","vniType":"vlan","vniRange":"1-10"},{"name":"b","vniType":"vlan","vniRange":"1-10"}]}""")]
    [TestCase("""{"networkIds":{"ipvlan":"a","IPVLAN":"b","bridge":"c"}}""", "networkIds has \"IPVLAN\" and \"ipvlan\" for one NetworkType*")]
    public void Warnings(string config, params string[] warnings)
    {
        var verdict = TenantConfigAdmission.Check(Make(config), null);

        verdict.Faults.Should().BeEmpty();
        verdict.Warnings.Should().HaveCount(warnings.Length);
        foreach (var (text, pattern) in verdict.Warnings.Zip(warnings))
            text.Should().Match(pattern);
    }

    [TestCase(256, 0)]
    [TestCase(257, 2)]
    public void Lists_have_the_schemas_limits(int count, int faults)
    {
        var config = new TenantConfig
        {
            HostDevices = [.. Enumerable.Range(0, count).Select(index => new TenantHostDevice { Name = $"e{index}" })],
            NetworkIds = Enumerable.Range(0, count).ToDictionary(index => $"t{index}", index => "id"),
        };

        TenantConfigAdmission.Check(config, null).Faults.Should().HaveCount(faults);
    }

    [Test]
    public void Hostile_texts_stay_out_of_logs_and_terminals()
    {
        var hostile = "\u001b]0;owned\u0007\r\n/" + new string('ä', 300);
        var config = new TenantConfig
        {
            HostDevices = [new() { Name = hostile, VniType = hostile, VniRange = hostile, Alloc = hostile }, new() { Name = "a", VniType = "vxlan", VniRange = hostile }],
            NetworkIds = new() { [hostile] = hostile, [hostile.ToUpperInvariant()] = null! },
        };

        var verdict = TenantConfigAdmission.Check(config, new TenantConfig { HostDevices = [null!, new()] });
        verdict.Faults.Should().HaveCountGreaterThan(6);
        verdict.Faults.Select(fault => $"{fault}").Concat(verdict.Warnings).Should().OnlyContain(text => text.All(c => c >= ' ' && c <= '~') && text.Length < 3500);
    }

    private static TenantConfig Make(string json) => JsonSerializer.Deserialize(json, TenantJson.Default.TenantConfig)!;
}
