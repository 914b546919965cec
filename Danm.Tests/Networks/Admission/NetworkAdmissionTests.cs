using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class NetworkAdmissionTests
{
    private static IEnumerable<TestCaseData> Cases(IReadOnlyList<RuleCase> cases) =>
        cases.SelectMany(rule => rule.NetworkKinds, (rule, kind) => new TestCaseData(rule, kind));

    private static IEnumerable<TestCaseData> NetworkCases => Cases(RuleCases.OfNetworks);

    private static IEnumerable<TestCaseData> NetworkIdCases => Cases(RuleCases.OfNetworkIds);

    private static IEnumerable<TestCaseData> ConnectedCases => Cases(RuleCases.OfConnected);

    [TestCaseSource(nameof(NetworkCases))]
    public void A_broken_rule_is_named_with_its_field_and_its_neighbour_passes(RuleCase rule, NetworkKind kind) =>
        DeniesOnlyTheRejected(rule, kind, NetworkAdmission.Check);

    [TestCaseSource(nameof(NetworkIdCases))]
    public void A_NetworkID_is_judged_after_mutation(RuleCase rule, NetworkKind kind)
    {
        DeniesOnlyTheRejected(rule, kind, NetworkAdmission.CheckMutated);
        var old = rule.Old is null ? null : RuleCase.Make(kind, rule.Old);
        if (kind != NetworkKind.TenantNetwork)
            NetworkAdmission.Check(RuleCase.Make(kind, rule.Rejected), old).Faults.Should().BeEmpty();
    }

    [TestCaseSource(nameof(ConnectedCases))]
    public void What_Pods_stand_on_changes_only_without_them(RuleCase rule, NetworkKind kind)
    {
        var old = RuleCase.Make(kind, rule.Old!);

        NetworkAdmission.NeedsIdlePods(RuleCase.Make(kind, rule.Rejected), old, out var faults).Should().BeTrue();
        faults.Should().ContainSingle().Which.ToString().Should().StartWith($"{rule.Field}: ").And.EndWith(" (rule 21)");
        NetworkAdmission.NeedsIdlePods(RuleCase.Make(kind, rule.Accepted), old, out faults).Should().BeFalse();
        faults.Should().BeEmpty();
        NetworkAdmission.NeedsIdlePods(RuleCase.Make(NetworkKind.TenantNetwork, rule.Rejected), RuleCase.Make(NetworkKind.TenantNetwork, rule.Old!), out _)
            .Should().BeFalse();
    }

    /// <summary>The schema refuses zeros, but objects may be older than it.</summary>
    [Test]
    public void Zero_and_empty_count_as_absent()
    {
        const string None = """{"NetworkID":"net","NetworkType":"","Options":{"host_device":"ens4","device_pool":"","vlan":0,"vxlan":0,"mtu":0,"cidr":"10.0.0.0/24","net6":"","alloc":"","alloc6":""}}""";
        const string Bare = """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""";

        foreach (var kind in Enum.GetValues<NetworkKind>())
        {
            NetworkAdmission.Check(RuleCase.Make(kind, None), null).Should().BeEquivalentTo(new Verdict([], []));
            NetworkAdmission.Check(RuleCase.Make(kind, None), RuleCase.Make(kind, Bare)).Should().BeEquivalentTo(new Verdict([], []));
            NetworkAdmission.Check(RuleCase.Make(kind, Bare), RuleCase.Make(kind, None)).Should().BeEquivalentTo(new Verdict([], []));
            NetworkAdmission.NeedsIdlePods(RuleCase.Make(kind, None), RuleCase.Make(kind, Bare), out _).Should().BeFalse();
        }
    }

    /// <summary>Every rule that is for some kinds only lets the others do it.</summary>
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","AllowedTenants":["ns"],"Options":{"cidr":"10.0.0.0/24"}}""", null)]
    [TestCase(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"vlan":5,"host_device":"ens4","cidr":"10.0.0.0/24"}}""", null)]
    [TestCase(NetworkKind.ClusterNetwork, """{"NetworkID":"net","NetworkType":"bridge","Options":{"host_device":"ens5"}}""",
        """{"NetworkID":"net","Options":{"host_device":"ens4"}}""")]
    public void Other_kinds_may(NetworkKind kind, string spec, string? old) =>
        NetworkAdmission.Check(RuleCase.Make(kind, spec), old is null ? null : RuleCase.Make(kind, old)).Faults.Should().BeEmpty();

    [Test]
    public void A_tenant_is_told_of_the_vlan_and_vxlan_that_it_must_not_choose_not_of_their_clash() =>
        NetworkAdmission.Check(RuleCase.Make(NetworkKind.TenantNetwork, """{"Options":{"vlan":5,"vxlan":6}}"""), null)
            .Faults.Select(fault => $"{fault}").Should().Equal(
                "spec.Options.vlan: \"5\" is chosen from the TenantConfig for TenantNetworks: leave it out (rule T1)",
                "spec.Options.vxlan: \"6\" is chosen from the TenantConfig for TenantNetworks: leave it out (rule T1)");

    [Test]
    public void All_faults_come_at_once_each_with_value_and_rule()
    {
        var verdict = NetworkAdmission.Check(
            RuleCase.Make(
                NetworkKind.DanmNet,
                """{"AllowedTenants":["a"],"Options":{"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.1.1","end":"x"},"alloc":"gA==","mtu":1,"vlan":1,"vxlan":2}}"""),
            null);

        verdict.Faults.Select(fault => $"{fault}").Should().Equal(
            "spec.Options.vxlan: \"2\" cannot stand beside vlan 1: remove one of them (rule 17)",
            "spec.Options.mtu: \"1\" must be 68 to 65535",
            "spec.Options.allocation_pool.start: \"10.0.1.1\" must be an address inside 10.0.0.0/24 (rule 8)",
            "spec.Options.allocation_pool.end: \"x\" must be an address inside 10.0.0.0/24 (rule 9)",
            "spec.AllowedTenants: \"[a]\" is for ClusterNetworks only: leave it out (rule 19)",
            "spec.Options.alloc: \"gA==\" is allocation state, not configuration: leave it out (rule 5)");
    }

    private const string Broken = """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.9.9"}}}""";

    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.9.9"},"mtu":1400}}""", TestName = "Another field")]
    [TestCase(Broken, TestName = "Nothing, or metadata only")]
    public void What_was_broken_before_is_let_through_with_a_warning(string spec)
    {
        var verdict = NetworkAdmission.Check(RuleCase.Make(NetworkKind.DanmNet, spec), RuleCase.Make(NetworkKind.DanmNet, Broken));

        verdict.Faults.Should().BeEmpty();
        verdict.Warnings.Should().Equal("kept as it was: spec.Options.allocation_pool.start: \"10.0.9.9\" must be an address inside 10.0.0.0/24 (rule 8)");
    }

    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.9.8"}}}""", TestName = "Its value")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/25","allocation_pool":{"start":"10.0.9.9"}}}""", TestName = "What it is judged by")]
    public void What_an_update_touches_is_judged_anew(string spec) =>
        NetworkAdmission.Check(RuleCase.Make(NetworkKind.DanmNet, spec), RuleCase.Make(NetworkKind.DanmNet, Broken)).Faults.Should().ContainSingle()
            .Which.Field.Should().Be("spec.Options.allocation_pool.start");

    /// <summary>What a TenantConfig maps back is judged as it will be stored, and one that was absent may come.</summary>
    [Test]
    public void A_tenants_NetworkID_is_compared_after_mutation()
    {
        var old = RuleCase.Make(NetworkKind.TenantNetwork, """{"NetworkID":"net","NetworkType":"bridge"}""");
        var other = RuleCase.Make(NetworkKind.TenantNetwork, """{"NetworkID":"other","NetworkType":"bridge"}""");
        var none = RuleCase.Make(NetworkKind.TenantNetwork, """{"NetworkType":"bridge"}""");

        NetworkAdmission.Check(other, old).Faults.Should().BeEmpty();
        NetworkAdmission.CheckMutated(other, old).Faults.Select(fault => $"{fault}").Should().Equal("spec.NetworkID: \"other\" must stay \"net\" in a TenantNetwork (rule T2)");
        NetworkAdmission.CheckMutated(other, none).Faults.Should().BeEmpty();
    }

    [Test]
    public void A_NetworkID_that_was_too_long_before_stays()
    {
        var old = RuleCase.Make(NetworkKind.ClusterNetwork, """{"NetworkID":"elevenchars","Options":{"host_device":"ens4","vlan":5}}""");
        var verdict = NetworkAdmission.CheckMutated(RuleCase.Make(NetworkKind.ClusterNetwork, """{"NetworkID":"elevenchars","Options":{"host_device":"ens4","vlan":6}}"""), old);

        verdict.Faults.Should().BeEmpty();
        verdict.Warnings.Should().ContainSingle().Which.Should().StartWith("kept as it was: spec.NetworkID: \"elevenchars\"");
    }

    [Test]
    public void The_subnet_may_change_without_the_pool_that_admission_wrote()
    {
        var old = RuleCase.Make(NetworkKind.DanmNet, """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","net6":"fd00::/64"}}""");
        NetworkDefaults.Apply(old, null);
        var moved = RuleCase.Make(
            NetworkKind.DanmNet,
            """
            {"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.1.0.0/16","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"},
            "net6":"fd01::/64","allocation_pool_v6":{"cidr":"fd00::/64","start":"fd00::1","end":"fd00::ffff:ffff:ffff:fffe"}}}
            """);

        NetworkAdmission.Check(moved, old).Should().BeEquivalentTo(new Verdict([], []));
        NetworkAdmission.Check(moved, null).Faults.Select(fault => fault.Field).Should().Equal(
            "spec.Options.allocation_pool.start", "spec.Options.allocation_pool.end", "spec.Options.allocation_pool_v6.cidr");
    }

    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4"}}""", "*neither cidr nor net6*")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","net6":"fd00::/64"}}""")]
    [TestCase("""{"NetworkID":"net","NetworkType":"bridge"}""")]
    [TestCase("""{"NetworkID":"net","Options":{"cidr":"10.0.0.0/24"}}""", "*neither host_device nor device_pool*")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","allocation_pool":{"lastIp":"10.0.0.7"}}}""", "spec.Options.allocation_pool.lastIp is *")]
    [TestCase("""{"NetworkID":"net","Options":{"host_device":"ens4","net6":"fd00::/64","allocation_pool_v6":{"lastIp":"x"}}}""", "spec.Options.allocation_pool_v6.lastIp is *")]
    public void Warnings_of_a_network_alone(string spec, params string[] warnings)
    {
        var network = RuleCase.Make(NetworkKind.ClusterNetwork, spec);
        var verdict = NetworkAdmission.Check(network, null);

        verdict.Faults.Should().BeEmpty();
        verdict.Warnings.Should().HaveCount(warnings.Length);
        foreach (var (text, pattern) in verdict.Warnings.Zip(warnings))
            text.Should().Match(pattern);
        NetworkAdmission.Check(network, network).Warnings.Should().BeEmpty("an update is not warned of what was there");
    }

    [Test]
    public void Hostile_texts_stay_out_of_logs_and_terminals()
    {
        var hostile = "\u001b]0;owned\u0007\r\n" + new string('ä', 300);
        var network = new Network
        {
            Kind = NetworkKind.TenantNetwork,
            Spec = new NetworkSpec
            {
                NetworkId = hostile,
                NetworkType = hostile,
                AllowedTenants = [hostile, null!],
                Options = new NetworkOptions
                {
                    HostDevice = hostile,
                    DevicePool = hostile,
                    Vlan = int.MinValue,
                    Vxlan = int.MaxValue,
                    Mtu = int.MinValue,
                    Cidr = hostile,
                    Net6 = hostile,
                    Routes = new() { [hostile] = hostile, ["10.0.0.0/8"] = null! },
                    Routes6 = new() { [""] = "" },
                    AllocationPool = new() { Start = hostile, End = hostile, LastIp = hostile },
                    AllocationPoolV6 = new() { Start = hostile, End = hostile, Cidr = hostile },
                    Alloc = hostile,
                    Alloc6 = hostile,
                },
            },
        };
        var old = new Network { Kind = NetworkKind.TenantNetwork, Spec = new NetworkSpec { NetworkType = hostile + "x", Options = new() { HostDevice = hostile + "y" } } };

        foreach (var verdict in new[] { NetworkAdmission.Check(network, null), NetworkAdmission.Check(network, old), NetworkAdmission.CheckMutated(network, old) })
        {
            verdict.Faults.Should().NotBeEmpty();
            verdict.Faults.Select(fault => $"{fault}").Concat(verdict.Warnings).Should().OnlyContain(text => text.All(c => c >= ' ' && c <= '~') && text.Length < 3500);
        }

        NetworkAdmission.NeedsIdlePods(new Network { Spec = network.Spec }, new Network { Spec = old.Spec }, out var faults).Should().BeTrue();
        faults.Should().OnlyContain(fault => $"{fault}".All(c => c >= ' ' && c <= '~'));
    }

    private static void DeniesOnlyTheRejected(RuleCase rule, NetworkKind kind, Func<Network, Network?, Verdict> check)
    {
        var old = rule.Old is null ? null : RuleCase.Make(kind, rule.Old);

        var fault = check(RuleCase.Make(kind, rule.Rejected), old).Faults.Should().ContainSingle().Subject;
        fault.Field.Should().Be(rule.Field);
        if (rule.Rule.Length > 0)
            fault.Message.Should().EndWith($" (rule {rule.Rule})");
        else
            fault.Message.Should().NotContain("(rule");
        check(RuleCase.Make(kind, rule.Accepted), old).Faults.Should().BeEmpty();
    }
}
