using System.Net;
using System.Text.Json;
using CsCheck;
using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class NetworkDefaultsTests
{
    [TestCase("""{"cidr":"10.0.0.0/24"}""", """{"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"}}""")]
    [TestCase("""{"cidr":"10.0.0.77/30"}""", """{"cidr":"10.0.0.77/30","allocation_pool":{"start":"10.0.0.77","end":"10.0.0.78"}}""")]
    [TestCase("""{"cidr":"10.0.0.0/31"}""", """{"cidr":"10.0.0.0/31","allocation_pool":{"start":"10.0.0.0","end":"10.0.0.1"}}""")]
    [TestCase("""{"cidr":"10.0.0.7/32"}""", """{"cidr":"10.0.0.7/32","allocation_pool":{"start":"10.0.0.7","end":"10.0.0.7"}}""")]
    [TestCase("""{"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.9","end":""}}""", """{"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.9","end":"10.0.0.254"}}""")]
    [TestCase("""{"cidr":"10.0.0.0/24","alloc":"gA==","allocation_pool":{"end":"10.0.0.9","lastIp":"10.0.0.5"}}""",
        """{"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.9","lastIp":"10.0.0.5"},"alloc":"gA=="}""")]
    [TestCase("""{"net6":"fd00::/64"}""", """{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/64","start":"fd00::1","end":"fd00::ffff:ffff:ffff:fffe"}}""")]
    [TestCase("""{"net6":"fd00::/127"}""", """{"net6":"fd00::/127","allocation_pool_v6":{"cidr":"fd00::/127","start":"fd00::","end":"fd00::1"}}""")]
    [TestCase("""{"net6":"fd00::5/128"}""", """{"net6":"fd00::5/128","allocation_pool_v6":{"cidr":"fd00::5/128","start":"fd00::5","end":"fd00::5"}}""")]
    [TestCase("""{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/120"}}""",
        """{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/120","start":"fd00::1","end":"fd00::fe"}}""")]
    [TestCase("{}", "{}")]
    [TestCase("""{"allocation_pool":{},"allocation_pool_v6":{"start":""}}""", """{"allocation_pool":{},"allocation_pool_v6":{"start":""}}""", TestName = "Empty pools without subnets stay as sent")]
    [TestCase("""{"cidr":"10.0.0.0/24","allocation_pool":{"start":"x"}}""", """{"cidr":"10.0.0.0/24","allocation_pool":{"start":"x","end":"10.0.0.254"}}""", TestName = "A broken member stays")]
    [TestCase("""{"cidr":"x","net6":"10.0.0.0/8"}""", """{"cidr":"x","net6":"10.0.0.0/8"}""", TestName = "A broken subnet has no pool")]
    [TestCase("""{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd01::/64"}}""", """{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd01::/64"}}""", TestName = "A pool elsewhere is not filled")]
    public void Absent_members_are_filled(string sent, string stored) => Applied(sent, null).Should().Be(Plain(stored));

    private const string Old = """
        {"cidr":"10.0.0.0/24","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"},
        "net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/64","start":"fd00::1","end":"fd00::ffff:ffff:ffff:fffe"}}
        """;

    [TestCase("""{"cidr":"10.1.0.0/16","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254","lastIp":"7"}}""",
        """{"cidr":"10.1.0.0/16","allocation_pool":{"start":"10.1.0.1","end":"10.1.255.254","lastIp":"7"}}""", TestName = "To another subnet")]
    [TestCase("""{"cidr":"10.0.0.0/16","allocation_pool":{"start":"10.0.0.9","end":"10.0.0.254"}}""",
        """{"cidr":"10.0.0.0/16","allocation_pool":{"start":"10.0.0.9","end":"10.0.255.254"}}""", TestName = "A chosen member stays")]
    [TestCase("""{"cidr":"10.0.0.9/24","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"}}""",
        """{"cidr":"10.0.0.9/24","allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"}}""", TestName = "The same subnet, spelled otherwise")]
    [TestCase("""{"allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254"}}""", "{}", TestName = "To no subnet")]
    [TestCase("""{"allocation_pool":{"start":"10.0.0.1","end":"10.0.0.254","lastIp":"7"}}""", """{"allocation_pool":{"lastIp":"7"}}""", TestName = "To no subnet, with what the original left")]
    [TestCase("""{"net6":"fd01::/64","allocation_pool_v6":{"cidr":"fd00:0::/64","start":"FD00::0001","end":"fd00::ffff:ffff:ffff:fffe"}}""",
        """{"net6":"fd01::/64","allocation_pool_v6":{"cidr":"fd01::/64","start":"fd01::1","end":"fd01::ffff:ffff:ffff:fffe"}}""", TestName = "IPv6, spelled otherwise")]
    [TestCase("""{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/120","start":"fd00::1","end":"fd00::ffff:ffff:ffff:fffe"}}""",
        """{"net6":"fd00::/64","allocation_pool_v6":{"cidr":"fd00::/120","start":"fd00::1","end":"fd00::fe"}}""", TestName = "A smaller prefix for the pool")]
    public void A_default_moves_with_its_subnet(string sent, string stored)
    {
        Applied(sent, Old).Should().Be(Plain(stored));
        NetworkAdmission.Check(Make(sent), Make(Old)).Faults.Should().BeEmpty("Check knows what Apply will do");
    }

    [TestCase(null, "ipvlan")]
    [TestCase("", "ipvlan")]
    [TestCase("IPVLAN", "IPVLAN")]
    [TestCase("bridge", "bridge")]
    public void An_empty_type_is_ipvlan(string? sent, string stored)
    {
        var network = new Network { Spec = new NetworkSpec { NetworkType = sent } };
        NetworkDefaults.Apply(network, null);
        network.Spec.NetworkType.Should().Be(stored);
    }

    private static readonly Gen<string?> Subnets = Pick(
        null, "", "x", "10.0.0.0/24", "10.0.0.9/24", "10.0.0.128/25", "10.0.0.4/31", "10.0.0.5/32", "0.0.0.0/0", "fd00::/64", "10.0.0.0/33", "\u0007");

    private static readonly Gen<string?> Members = Pick(
        null, "", "x", "10.0.0.0", "10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.129", "10.0.0.254", "10.0.0.255", "255.255.255.254", "fd00::1", "10.0.0.1/24");

    private static readonly Gen<string?> Subnets6 = Pick(
        null, "", "x", "fd00::/64", "FD00::7/64", "fd00::/120", "fd00::/127", "fd00::1/128", "::/0", "10.0.0.0/24", "fd00::/129", "fd00::%1/64");

    private static readonly Gen<string?> Members6 = Pick(
        null, "", "x", "fd00::", "fd00::1", "FD00:0::0001", "fd00::fe", "fd00::ffff:ffff:ffff:fffe", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "10.0.0.1");

    private static readonly Gen<NetworkOptions> Options = Gen.Select(
        Gen.Select(Subnets, Members, Members), Gen.Select(Subnets6, Subnets6, Members6, Members6), Gen.Bool, (v4, v6, hasPools) => new NetworkOptions
        {
            Cidr = v4.Item1,
            AllocationPool = hasPools ? new() { Start = v4.Item2, End = v4.Item3 } : null,
            Net6 = v6.Item1,
            AllocationPoolV6 = hasPools ? new() { Cidr = v6.Item2, Start = v6.Item3, End = v6.Item4 } : null,
        });

    private static Gen<string?> Pick(params string?[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static int sound;

    /// <summary>What Check lets pass and Apply fills, the address pools can use; what Check denies, they refuse.</summary>
    [Test]
    public void What_passes_has_pools()
    {
        sound = 0;
        Gen.Select(Options, Options, Gen.Bool).Sample(
            (options, oldOptions, isUpdate) =>
            {
                var network = Make(options);
                var old = isUpdate ? Make(oldOptions) : null;
                if (old is not null && NetworkAdmission.Check(old, null).Faults.Count > 0)
                    old = null;
                if (old is not null)
                    NetworkDefaults.Apply(old, null);

                var verdict = NetworkAdmission.Check(network, old);
                NetworkDefaults.Apply(network, old);
                var once = Plain(network.Spec.Options);
                NetworkDefaults.Apply(network, old);
                Plain(network.Spec.Options).Should().Be(once, "applied twice, it does what it does once");
                if (verdict.Faults.Count > 0)
                    return;

                Interlocked.Increment(ref sound);
                foreach (var (pool, subnet, range) in new[]
                         {
                             (AddressPool.IPv4(network), network.Spec.Options.Cidr, network.Spec.Options.AllocationPool),
                             (AddressPool.IPv6(network), network.Spec.Options.Net6, network.Spec.Options.AllocationPoolV6),
                         })
                {
                    (pool is null).Should().Be(string.IsNullOrEmpty(subnet));
                    if (pool is not null)
                        (pool.First, pool.Last).Should().Be((IPAddress.Parse(range!.Start!), IPAddress.Parse(range.End!)));
                }

                NetworkAdmission.Check(network, network).Should().BeEquivalentTo(new Verdict([], []), "what was stored can be stored again");
            },
            iter: 20_000);
        sound.Should().BeGreaterThan(100, "a property of nothing proves nothing");
    }

    [Test]
    public void What_address_pools_refuse_is_denied() =>
        Options.Sample(
            options =>
            {
                var network = Make(options);
                var refused = false;
                try
                {
                    _ = (AddressPool.IPv4(network), AddressPool.IPv6(network));
                }
                catch (NetworkFaultException)
                {
                    refused = true;
                }

                if (refused)
                    NetworkAdmission.Check(network, null).Faults.Should().NotBeEmpty();
            },
            iter: 20_000);

    private static string Applied(string sent, string? old)
    {
        var network = Make(sent);
        NetworkDefaults.Apply(network, old is null ? null : Make(old));
        return Plain(network.Spec.Options);
    }

    private static Network Make(string options) => Make(JsonSerializer.Deserialize(options, ApiJson.Default.NetworkOptions)!);

    private static Network Make(NetworkOptions options) => new()
    {
        Metadata = new ObjectMeta { Name = "n", Namespace = "ns" },
        Spec = new NetworkSpec { NetworkId = "net", Options = options },
    };

    private static string Plain(string options) => Plain(JsonSerializer.Deserialize(options, ApiJson.Default.NetworkOptions)!);

    private static string Plain(NetworkOptions options) => JsonSerializer.Serialize(options, ApiJson.Default.NetworkOptions);
}
