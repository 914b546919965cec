using Danm.Api;
using Danm.Attach;
using Danm.Calls;
using Danm.Ipam;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;
using Danm.Tests.Attach;
using Danm.Tests.State;

namespace Danm.Tests.Calls;

/// <summary>What the journal says may exist, while attachments are at work.</summary>
public sealed class ClaimBookTests
{
    private TemporaryState state = null!;
    private Journal journal = null!;
    private Attachment first = null!;
    private Attachment second = null!;

    [SetUp]
    public async Task SetUp()
    {
        state = new TemporaryState();
        journal = await state.CreateAsync();
        var network = AttachmentPlannerTests.Network(new NetworkOptions { HostDevice = "ens4", Cidr = "10.0.0.0/24", Net6 = "fd00::/64" });
        var request = AttachmentPlannerTests.Ask(network, IPRequest.Dynamic, IPRequest.Dynamic);
        var plan = AttachmentPlannerTests.Plan([request, request with { Position = 1 }], [network, network]);
        (first, second) = (plan[0], plan[1]);
    }

    [TearDown]
    public void TearDown()
    {
        journal.Dispose();
        state.Dispose();
    }

    [Test]
    public async Task New_names_take_the_place_of_refused_ones_and_are_on_the_disk()
    {
        var book = Open();

        book.Announce(first, ipv6: false, ["10-0-0-7.untagged.ens4", "10-0-0-8.untagged.ens4"]);

        var expected = new[] { "10-0-0-7.untagged.ens4", "10-0-0-8.untagged.ens4" }
            .Concat(first.IPv6!.Names).Append(first.EndpointId).Concat(second.Claims.Select(c => c.Name));
        NamesOf(book.Record).Should().BeEquivalentTo(expected);
        NamesOf(await NextAsync()).Should().BeEquivalentTo(expected);
    }

    [Test]
    public void A_confirmed_address_is_the_only_one_of_its_interface_and_family()
    {
        var book = Open();
        book.Announce(first, ipv6: false, ["10-0-0-7.untagged.ens4", "10-0-0-8.untagged.ens4"]);

        book.Confirm(first, new AllocatedAddress("10-0-0-8.untagged.ens4", "uid-8", CidrAddress.Parse("10.0.0.8/24")));
        book.Confirm(first, new AllocatedAddress("fd00-0000-0000-0000-0000-0000-0000-0008.untagged.ens4", "uid-6", CidrAddress.Parse("fd00::8/64")));

        Of(book.Record, first).Where(c => c.Kind == "IPAllocation").Select(c => (c.Name, c.Uid)).Should().BeEquivalentTo(
            [("10-0-0-8.untagged.ens4", "uid-8"), ("fd00-0000-0000-0000-0000-0000-0000-0008.untagged.ens4", "uid-6")]);
        Of(book.Record, second).Should().BeEquivalentTo(second.Claims, "the other interface is another matter");

        book.DropAllocations(first, ipv6: false);
        book.DropAllocations(first, ipv6: true);
        Of(book.Record, first).Should().HaveCount(3, "what is confirmed is ours until it is released");
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Refused_for_certain_is_forgotten_family_by_family(bool ipv6)
    {
        var book = Open();

        book.DropAllocations(first, ipv6);

        Of(book.Record, first).Select(c => c.Name).Should().BeEquivalentTo((ipv6 ? first.IPv4 : first.IPv6)!.Names.Append(first.EndpointId));
    }

    [Test]
    public void What_was_never_begun_is_forgotten_whole()
    {
        var book = Open();

        book.Drop(second);

        Of(book.Record, second).Should().BeEmpty();
        Of(book.Record, first).Should().BeEquivalentTo(first.Claims);
    }

    [Test]
    public void A_DanmEp_is_confirmed_or_forgotten()
    {
        var book = Open();

        book.Confirm(first, new DanmEp { Metadata = new ObjectMeta { Name = first.EndpointId, Uid = "ep-uid" } }, mayComeAgain: true);
        book.DropEndpoint(second);

        book.Record.Claims.Where(c => c.Kind == "DanmEp").Should().Equal(new ClaimRecord { Kind = "DanmEp", Name = first.EndpointId, EndpointId = first.EndpointId, Uid = "ep-uid", MayComeAgain = true });
    }

    // A create of an earlier ADD may still be under way, whatever becomes of this one's.
    [Test]
    public void What_an_earlier_ADD_may_still_bring_about_stays()
    {
        ClaimRecord[] former =
        [
            new() { Kind = "IPAllocation", Name = "10-0-0-99.untagged.ens4", EndpointId = first.EndpointId },
            new() { Kind = "DanmEp", Name = first.EndpointId, EndpointId = first.EndpointId },
        ];
        var book = Open(former);

        book.Announce(first, ipv6: false, ["10-0-0-7.untagged.ens4"]);
        book.DropAllocations(first, ipv6: false);
        book.DropAllocations(first, ipv6: true);
        book.DropEndpoint(first);

        Of(book.Record, first).Distinct().Should().BeEquivalentTo(former);
    }

    [Test]
    public void A_rollback_takes_back_only_interfaces_that_this_ADD_made()
    {
        var book = Open();
        book.Made.Attachments.Should().BeEmpty();

        book.NoteInterface(second);

        book.Made.Attachments.Select(a => a.Interface).Should().Equal("eth1");
        book.Record.Attachments.Select(a => a.Interface).Should().Equal("eth0", "eth1");
        NamesOf(book.Made).Should().BeEquivalentTo(NamesOf(book.Record));
    }

    [Test]
    public void Names_that_cannot_be_written_down_are_an_error_before_they_are_created()
    {
        var book = Open();
        journal.Dispose();

        book.Invoking(b => b.Announce(first, ipv6: false, ["10-0-0-7.untagged.ens4"])).Should().Throw<Exception>();
    }

    [Test]
    public async Task Interfaces_at_work_at_once_lose_nothing_of_each_other()
    {
        var book = Open();

        await Task.WhenAll(((Attachment[])[first, second]).SelectMany(a => ((bool[])[false, true]).Select(ipv6 => Task.Run(() =>
        {
            var prefix = ipv6 ? "fd00-0000-0000-0000-0000-0000-0000-00" : "10-0-0-";
            for (var i = 10; i < 40; i++)
                book.Announce(a, ipv6, [$"{prefix}{i}.untagged.ens4"]);
        }))));

        var next = await NextAsync();
        foreach (var attachment in (Attachment[])[first, second])
        {
            Of(next, attachment).Select(c => c.Name).Should().BeEquivalentTo(
                "10-0-0-39.untagged.ens4", "fd00-0000-0000-0000-0000-0000-0000-0039.untagged.ens4", attachment.EndpointId);
        }
    }

    private ClaimBook Open(params IReadOnlyList<ClaimRecord> former) => new(
        journal,
        new SandboxRecord
        {
            ContainerId = "c", PodUid = "u", Attachments = [first.ToRecord(), second.ToRecord()], Claims = [.. first.Claims, .. second.Claims, .. former],
        },
        former);

    private static IEnumerable<ClaimRecord> Of(SandboxRecord record, Attachment attachment) => record.Claims.Where(c => c.EndpointId == attachment.EndpointId);

    private static IEnumerable<string> NamesOf(SandboxRecord record) => record.Claims.Select(c => c.Name);

    // As the next call sees it once this one has ended, however it ended.
    private async Task<SandboxRecord> NextAsync()
    {
        journal.Dispose();
        using var next = await state.CreateAsync();
        return next.Last!;
    }
}
