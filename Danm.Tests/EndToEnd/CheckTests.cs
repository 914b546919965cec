namespace Danm.Tests.EndToEnd;

/// <summary>CHECK names what differs from what ADD left.</summary>
[TestFixture, Parallelizable]
public sealed class CheckTests : GuestFixture
{
    private const string Interfaces = """
        [{"network":"check","ip":"dynamic","ip6":"dynamic","proutes":{"10.60.0.0/16":"10.40.0.254"},"proutes6":{"fd00:60::/64":"fd00:40::fe"}}]
        """;

    [OneTimeSetUp]
    public void MakeNetworks() => Network(
        "DanmNet", "check", """{"cidr":"10.40.0.0/24","net6":"fd00:40::/64","rt_tables":40,"routes":{"10.50.0.0/16":"10.40.0.254"},"routes6":{"fd00:50::/64":"fd00:40::fe"}}""");

    private static readonly TestCaseData[] Removals =
    [
        new TestCaseData(
            "ip link delete eth0",
            Array.Empty<string>(),
            (string[])["interface \"eth0\" (DanmNet/default/check) is missing"]) { TestName = "Names_a_missing_interface" },
        new TestCaseData(
            "ip link set eth0 down",
            (string[])["IPAllocation"],
            (string[])["interface \"eth0\" is down", "IPAllocation "]) { TestName = "Names_an_interface_that_is_down_and_a_missing_IPAllocation" },
        new TestCaseData(
            "ip route delete 10.50.0.0/16; ip route delete 10.60.0.0/16 table 40; ip rule delete lookup 40; "
                + "ip address delete $(ip -6 -o address show dev eth0 scope global | awk \"{print \\$4}\") dev eth0",
            (string[])["DanmEp"],
            (string[])["route 10.50.0.0/16 via 10.40.0.254", "route 10.60.0.0/16 via 10.40.0.254 in table 40", "rule from 10.40.0.", "address fd00:40::", "DanmEp "])
            { TestName = "Names_what_is_missing_of_IPv4_an_IPv6_address_and_the_DanmEp" },
        new TestCaseData(
            "ip -6 route delete fd00:50::/64; ip -6 rule delete lookup 40; ip address delete $(ip -4 -o address show dev eth0 | awk \"{print \\$4}\") dev eth0",
            Array.Empty<string>(),
            (string[])["route fd00:50::/64 via fd00:40::fe", "rule from fd00:40::", "address 10.40.0."]) { TestName = "Names_what_is_missing_of_IPv6_and_an_IPv4_address" },
    ];

    [TestCaseSource(nameof(Removals))]
    public async Task Names_what_was_removed(string inTheNamespace, string[] objects, string[] differences)
    {
        var pod = await AddAsync($"check-{Array.FindIndex(Removals, r => (string)r.Arguments[0]! == inTheNamespace)}", Interfaces);
        (await pod.CheckAsync()).Succeeded().Stdout.Should().BeEmpty();

        await pod.RunAsync($"sh -c '{inTheNamespace}'");
        foreach (var kind in objects)
            Node.Server.Store.Delete("danm.io/v1", kind, "default", (string)Node.Objects(kind)[0]["metadata"]!["name"]!);

        var failure = (await pod.CheckAsync()).Failed(110);
        failure.Msg.Should().Contain(pod.ContainerId);
        ((string)failure.Json["details"]!).Should().ContainAll(differences);
        (await pod.DelAsync()).Succeeded();
    }

    [Test]
    public async Task An_unknown_container_is_an_error()
    {
        var pod = await PodAsync("unchecked", Interfaces);
        (await pod.CheckAsync()).Failed(3);
    }
}
