using Danm.Attach;
using Danm.Cni;
using Danm.State;
using Danm.Tests.Netlink;

namespace Danm.Tests.Attach;

/// <summary>CHECK compares with what ADD wrote down, whatever kind of interface it is.</summary>
public sealed class CheckOperationTests : AttachFixture
{
    private const string Address = "10-0-0-5.untagged.ens4";

    private TemporaryNamespace pod = null!;

    [SetUp]
    public void MakeInterface()
    {
        pod = new TemporaryNamespace();
        foreach (var command in (string[])[
            "link add eth0 address 02:00:00:00:00:05 type veth peer name peer0", "link set peer0 up", "link set eth0 up",
            "address add 10.0.0.5/24 dev eth0", "address add fd00::5/64 dev eth0 nodad",
            "route add 10.1.0.0/16 via 10.0.0.1 dev eth0", "-6 route add fd01::/64 via fd00::1 dev eth0",
            "route add 10.2.0.0/16 via 10.0.0.2 dev eth0 table 100", "rule add from 10.0.0.5/32 table 100"])
            pod.Ip(command);
        Endpoint("ep1", "c1");
        Allocation(Address, "ep1", "c1");
    }

    [TearDown]
    public void RemoveInterface() => pod.Dispose();

    [Test]
    public Task What_is_as_ADD_left_it_is_fine() => CheckAsync();

    // The original's rules match the whole subnet.
    [Test]
    public async Task A_rule_of_the_original_serves_as_well()
    {
        pod.Ip("rule delete from 10.0.0.5/32 table 100");
        pod.Ip("rule add from 10.0.0.0/24 table 100");

        await CheckAsync();
    }

    [TestCase("link delete eth0", "interface \"eth0\" (DanmNet/default/n) is missing")]
    [TestCase("link set eth0 down", "interface \"eth0\" is down", "*")]
    [TestCase("link set eth0 address 02:00:00:00:00:06", "interface \"eth0\" has the hardware address 02:00:00:00:00:06, not 02:00:00:00:00:05", "*")]
    [TestCase("address delete fd00::5/64 dev eth0", "address fd00::5/64 of interface \"eth0\" is missing", "*")]
    [TestCase("address add 10.0.0.6/24 dev eth0")]
    [TestCase("route delete 10.1.0.0/16", "route 10.1.0.0/16 via 10.0.0.1 in table 254 of interface \"eth0\" is missing")]
    [TestCase("route change 10.1.0.0/16 via 10.0.0.9 dev eth0", "route 10.1.0.0/16 via 10.0.0.1 in table 254 of interface \"eth0\" is missing")]
    [TestCase("-6 route delete fd01::/64", "route fd01::/64 via fd00::1 in table 254 of interface \"eth0\" is missing")]
    [TestCase("route delete 10.2.0.0/16 table 100", "route 10.2.0.0/16 via 10.0.0.2 in table 100 of interface \"eth0\" is missing")]
    [TestCase("rule delete from 10.0.0.5/32 table 100", "rule from 10.0.0.5/32 to table 100 is missing")]
    public async Task What_is_not_is_named(string change, string? difference = null, string? more = null)
    {
        pod.Ip(change);

        if (difference is null)
        {
            await CheckAsync();
            return;
        }

        var failure = (await this.Awaiting(t => t.CheckAsync()).Should().ThrowAsync<CniException>()).Which;
        failure.Code.Should().Be(CniErrorCode.CheckFailed);
        failure.Msg.Should().StartWith("container c1 is not as ADD left it: ");
        failure.Details!.Split("; ").Should().Contain(difference);
        if (more is null)
            failure.Details.Should().Be(difference);
    }

    [TestCase("DanmEp", "DanmEp ep1 is missing or another Pod's")]
    [TestCase("IPAllocation", $"IPAllocation {Address} is missing or another Pod's")]
    public async Task Objects_that_are_gone_are_named(string kind, string difference)
    {
        Server.Store.Delete("danm.io/v1", kind, "default", kind == "DanmEp" ? "ep1" : Address);

        (await this.Awaiting(t => t.CheckAsync()).Should().ThrowAsync<CniException>()).Which.Details.Should().Be(difference);
    }

    [Test]
    public async Task An_address_that_another_Pod_has_is_named()
    {
        Server.Store.Delete("danm.io/v1", "IPAllocation", null, Address);
        Allocation(Address, "other-ep", "c9", pod: "other");

        (await this.Awaiting(t => t.CheckAsync()).Should().ThrowAsync<CniException>()).Which.Details.Should().Be($"IPAllocation {Address} is missing or another Pod's");
    }

    [Test]
    public async Task All_differences_come_at_once_the_first_in_the_message()
    {
        pod.Ip("route delete 10.1.0.0/16");
        pod.Ip("rule delete from 10.0.0.5/32 table 100");
        Server.Store.Delete("danm.io/v1", "DanmEp", "default", "ep1");

        var failure = (await this.Awaiting(t => t.CheckAsync()).Should().ThrowAsync<CniException>()).Which;

        failure.Details!.Split("; ").Should().HaveCount(3);
        failure.Msg.Should().Contain("rule from 10.0.0.5/32").And.Contain("(and 2 more)");
    }

    private Task CheckAsync() => new CheckOperation(Api).RunAsync(
        new SandboxRecord
        {
            Phase = SandboxPhase.Attached, ContainerId = "c1", PodUid = PodUid, PodNamespace = "default", PodName = "amf-0",
            Attachments =
            [
                new AttachmentRecord
                {
                    Interface = "eth0", Network = "DanmNet/default/n", EndpointId = "ep1", Mac = "02:00:00:00:00:05", Table = 100,
                    Addresses = ["10.0.0.5/24", "fd00::5/64"],
                    Routes = [new("10.1.0.0/16", "10.0.0.1", 254), new("fd01::/64", "fd00::1", 254), new("10.2.0.0/16", "10.0.0.2", 100)],
                },
            ],
            Claims =
            [
                new ClaimRecord { Kind = "DanmEp", Name = "ep1", EndpointId = "ep1", Uid = "u1" },
                new ClaimRecord { Kind = "IPAllocation", Name = Address, EndpointId = "ep1", Uid = "u2" },
                new ClaimRecord { Kind = "IPAllocation", Name = "10-0-0-9.untagged.ens4", EndpointId = "ep1" },
            ],
        },
        $"/run/netns/{pod.Name}",
        CancellationToken.None);
}
