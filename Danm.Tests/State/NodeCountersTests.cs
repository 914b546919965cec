using Danm.State;

namespace Danm.Tests.State;

public sealed class NodeCountersTests
{
    private TemporaryState state = null!;
    private NodeCounters counters = null!;
    private string path = "";

    [SetUp]
    public void Make()
    {
        state = new TemporaryState();
        Directory.CreateDirectory(state.Node.Folder);
        counters = state.Node.Counters;
        path = Path.Combine(state.Node.Folder, "counters");
    }

    [TearDown]
    public void Remove() => state.Dispose();

    [Test]
    public void What_is_counted_adds_up_over_calls()
    {
        counters.Add((NodeCounter.Allocations, 2), (NodeCounter.Lists, 1));
        new NodeCounters(state.Node.Folder).Add((NodeCounter.Allocations, 3));

        counters.Read().Should().BeEquivalentTo(new Dictionary<NodeCounter, long>
        {
            [NodeCounter.Allocations] = 5, [NodeCounter.Conflicts] = 0, [NodeCounter.Lists] = 1, [NodeCounter.Exhausted] = 0,
        });
    }

    [Test]
    public void The_calls_of_other_plugins_count_in_the_same_place()
    {
        state.Node.Addresses.Counters.Add((NodeCounter.Allocations, 1));

        counters.Read()[NodeCounter.Allocations].Should().Be(1);
    }

    [Test]
    public async Task Nothing_is_lost_among_many_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 50; i++)
                new NodeCounters(state.Node.Folder).Add((NodeCounter.Allocations, 1));
        })));

        counters.Read()[NodeCounter.Allocations].Should().Be(400);
    }

    [Test]
    public void Nothing_counted_is_zeros() => counters.Read().Values.Should().OnlyContain(v => v == 0);

    [TestCase("garbage")]
    [TestCase("DANMCTR2 and more than a page")]
    public void A_file_of_another_form_is_left_alone(string content)
    {
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        counters.Add((NodeCounter.Allocations, 1));

        File.ReadAllText(path).Should().Be(content);
        counters.Read()[NodeCounter.Allocations].Should().Be(0);
    }

    [Test]
    public void A_link_is_not_followed_and_a_missing_folder_is_no_failure()
    {
        var elsewhere = Path.Combine(state.Node.Folder, "elsewhere");
        File.CreateSymbolicLink(path, elsewhere);

        counters.Add((NodeCounter.Allocations, 1));
        new NodeCounters("/nowhere/at/all").Add((NodeCounter.Allocations, 1));

        File.Exists(elsewhere).Should().BeFalse();
    }

    [Test]
    public void What_others_may_write_to_is_not_believed()
    {
        counters.Add((NodeCounter.Allocations, 1));
        File.SetUnixFileMode(path, (UnixFileMode)0x1B6 /* 0666 */);

        counters.Add((NodeCounter.Allocations, 1));

        counters.Read()[NodeCounter.Allocations].Should().Be(0);
    }
}
