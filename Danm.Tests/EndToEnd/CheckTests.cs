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

    [TestCase("ip link delete eth0", "interface \"eth0\"", "missing")]
    [TestCase("ip link set eth0 down", "interface \"eth0\"", "down")]
    [TestCase("ip address delete $(ip -4 -o address show dev eth0 | awk '{print $4}') dev eth0", "address 10.40.0.", "missing")]
    [TestCase("ip address delete $(ip -6 -o address show dev eth0 scope global | awk '{print $4}') dev eth0", "address fd00:40::", "missing")]
    [TestCase("ip route delete 10.50.0.0/16", "route 10.50.0.0/16 via 10.40.0.254", "missing")]
    [TestCase("ip -6 route delete fd00:50::/64", "route fd00:50::/64 via fd00:40::fe", "missing")]
    [TestCase("ip route delete 10.60.0.0/16 table 40", "route 10.60.0.0/16 via 10.40.0.254 in table 40", "missing")]
    [TestCase("ip rule delete lookup 40", "rule from 10.40.0.", "table 40")]
    [TestCase("ip -6 rule delete lookup 40", "rule from fd00:40::", "table 40")]
    [TestCase(null, "DanmEp", "missing")]
    [TestCase(null, "IPAllocation", "missing")]
    public async Task Names_what_was_removed(string? inTheNamespace, string what, string how)
    {
        var pod = await AddAsync($"check-{TestContext.CurrentContext.Test.ID.ToLowerInvariant()}", Interfaces);
        (await pod.CheckAsync()).Succeeded().Stdout.Should().BeEmpty();

        if (inTheNamespace is not null)
            await pod.RunAsync($"sh -c '{inTheNamespace.Replace("'", "'\\''")}'");
        else
            Node.Server.Store.Delete("danm.io/v1", what, "default", (string)Node.Objects(what)[0]["metadata"]!["name"]!);

        var failure = (await pod.CheckAsync()).Failed(110);
        failure.Msg.Should().Contain(pod.ContainerId);
        ((string)failure.Json["details"]!).Should().Contain(what).And.Contain(how);
        (await pod.DelAsync()).Succeeded();
        (await pod.CheckAsync()).Failed(3);
    }
}
