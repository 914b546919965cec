using Danm.State;
using Danm.Tests.Netlink;

namespace Danm.Tests.State;

public sealed class NodeStateTests
{
    private TemporaryState state = null!;

    [SetUp]
    public void SetUp() => state = new TemporaryState();

    [TearDown]
    public void TearDown() => state.Dispose();

    [Test]
    public async Task A_node_that_remembers_nothing_makes_no_folder_to_say_so()
    {
        (await state.FindAsync((_, _) => true, 1000)).Should().BeEmpty();
        (await state.FindDeferredAsync()).Should().BeEmpty();

        Directory.Exists(state.Folder).Should().BeFalse();
    }

    [Test]
    public async Task Finds_by_Pod_and_by_container()
    {
        foreach (var (uid, container) in ((string, string)[])[("u1", "c1"), ("u1", "c_2"), ("u2", "c1"), ("u2", "c3")])
            await state.WriteAsync(Record(uid, container));
        await File.WriteAllTextAsync(state.Sandbox("README"), "not ours");

        (await KeysAsync((u, _) => u == "u1")).Should().BeEquivalentTo("u1_c1", "u1_c_2");
        (await KeysAsync((_, c) => c == "c1")).Should().BeEquivalentTo("u1_c1", "u2_c1");
        (await KeysAsync((_, c) => c == "c_2")).Should().Equal("u1_c_2");
        (await KeysAsync((u, c) => u == "u2" && c == "c4")).Should().BeEmpty();
    }

    [Test]
    public async Task What_another_call_holds_is_left_out_or_waited_for()
    {
        await state.WriteAsync(Record("u", "free"));
        var holder = await state.CreateAsync("u", "held");
        holder.Write(Record("u", "held"), durable: false);

        (await KeysAsync((u, _) => u == "u")).Should().Equal("u_free");
        (await state.Invoking(s => s.FindAsync((_, c) => c == "held", 60)).Should().ThrowAsync<IOException>()).WithMessage("*\"held\" is still at work*");

        var waiting = state.FindAsync((_, c) => c == "held", 60_000);
        waiting.IsCompleted.Should().BeFalse();
        holder.Dispose();
        var journal = (await waiting).Should().ContainSingle().Subject;
        journal.Last!.ContainerId.Should().Be("held");
        journal.Dispose();
    }

    [Test]
    public async Task What_its_holder_removes_meanwhile_is_nothing_to_find()
    {
        var holder = await state.CreateAsync("u", "c");
        holder.Write(Record("u", "c"), durable: false);
        var waiting = state.FindAsync((_, c) => c == "c", 60_000);
        waiting.IsCompleted.Should().BeFalse();

        holder.Remove();
        holder.Dispose();

        (await waiting).Should().BeEmpty();
    }

    // A small root file system is a reason to have it elsewhere.
    [Test]
    public async Task The_folder_may_be_a_link()
    {
        var elsewhere = Path.Combine(Path.GetDirectoryName(state.Folder)!, "elsewhere");
        Directory.CreateDirectory(elsewhere);
        Directory.CreateDirectory(state.Folder);
        Directory.CreateSymbolicLink(Path.Combine(state.Folder, "sandboxes"), elsewhere);

        await Task.Run(() => state.WriteAsync(Record("u", "c"))).WaitAsync(TimeSpan.FromSeconds(30));

        (await KeysAsync((u, _) => u == "u")).Should().Equal("u_c");
        File.Exists(Path.Combine(elsewhere, "u_c")).Should().BeTrue();
    }

    [Test]
    public async Task Deferred_releases_come_oldest_first_and_not_all_at_once()
    {
        foreach (var (container, minutes) in ((string, int)[])[("b", 2), ("d", 4), ("a", 1), ("c", 3)])
        {
            await state.DeferAsync(Record("u", container));
            File.SetLastWriteTimeUtc(state.Mark($"u_{container}"), new DateTime(2030, 1, 1, 0, minutes, 0, DateTimeKind.Utc));
        }

        (await DeferredAsync(most: 3)).Should().Equal("a", "b", "c");
        (await DeferredAsync(most: 10)).Should().Equal("a", "b", "c", "d");
        (await DeferredAsync(most: 2, (u, c) => u == "u" && c != "a")).Should().Equal("b", "c");
    }

    [Test]
    public async Task Deferred_releases_that_another_call_holds_or_that_cannot_be_read_keep_no_other_back()
    {
        foreach (var container in (string[])["held", "link", "free"])
            await state.DeferAsync(Record("u", container));
        using var holder = await state.CreateAsync("u", "held");
        File.Move(state.Sandbox("u_link"), state.Sandbox("moved"));
        File.CreateSymbolicLink(state.Sandbox("u_link"), state.Sandbox("moved"));

        (await DeferredAsync(most: 10)).Should().Equal("free");
        File.Exists(state.Mark("u_held")).Should().BeTrue();
        File.Exists(state.Mark("u_link")).Should().BeTrue();
    }

    [Test]
    public async Task A_mark_without_a_journal_goes()
    {
        await state.DeferAsync(Record("u", "kept"));
        await state.DeferAsync(Record("u", "lost"));
        File.Delete(state.Sandbox("u_lost"));
        await File.WriteAllTextAsync(state.Mark("README"), "not ours");

        (await DeferredAsync(most: 10)).Should().Equal("kept");

        Directory.GetFiles(Path.Combine(state.Folder, "deferred")).Select(Path.GetFileName).Should().BeEquivalentTo("u_kept", "README");
    }

    [TestCase(null, false)]
    [TestCase("", false)]
    [TestCase("11111111-2222-3333-4444-555555555555", true)]
    public void Another_boot_is_told_by_its_id(string? bootId, bool another)
    {
        var record = Record("u", "c") with { BootId = bootId, Netns = "/proc/self/ns/net" };

        NodeState.IsOfAnotherBoot(record).Should().Be(another);
        NodeState.IsDead(record).Should().Be(another);
        NodeState.IsOfAnotherBoot(record with { BootId = NodeState.BootId }).Should().BeFalse();
    }

    [Test]
    public void A_sandbox_is_dead_once_its_namespace_is_gone()
    {
        var record = Record("u", "c") with { BootId = NodeState.BootId };
        using (var pod = new TemporaryNamespace())
        {
            record = record with { Netns = $"/run/netns/{pod.Name}" };
            NodeState.IsDead(record).Should().BeFalse();
        }

        NodeState.IsDead(record).Should().BeTrue();
        NodeState.IsDead(record with { Netns = null }).Should().BeFalse("nothing says that it is");
        NodeState.IsDead(record with { Netns = "/proc/self/ns/net" }).Should().BeFalse();
    }

    [Test]
    public void What_a_reboot_leaves_of_a_mount_point_is_no_namespace()
    {
        var file = Path.GetTempFileName();
        try
        {
            NodeState.IsGone(file).Should().BeTrue();
            NodeState.IsGone(file + "/x").Should().BeTrue();
            NodeState.IsGone(file + "x").Should().BeTrue();
            NodeState.IsGone("/proc/self/ns/net").Should().BeFalse();
        }
        finally
        {
            File.Delete(file);
        }
    }

    // The path may be a tenant's word: a pipe would wake its writer, a watchdog would be armed.
    [Test]
    public async Task Looking_whether_a_namespace_is_gone_opens_nothing()
    {
        var pipe = Path.Combine(Path.GetTempPath(), $"danm-pipe-{Guid.NewGuid():N}");
        System.Diagnostics.Process.Start("mkfifo", pipe).WaitForExit();
        var writer = Task.Run(() => new FileStream(pipe, FileMode.Open, FileAccess.Write, FileShare.ReadWrite));
        await Task.Delay(100);

        NodeState.IsGone(pipe).Should().BeTrue();

        await Task.Delay(100);
        writer.IsCompleted.Should().BeFalse("nobody has opened the other end");
        using var reader = new FileStream(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        (await writer).Dispose();
        File.Delete(pipe);
    }

    private static SandboxRecord Record(string podUid, string containerId) => new() { PodUid = podUid, ContainerId = containerId, PodName = "p" };

    private async Task<List<string>> KeysAsync(Func<string, string, bool> matches)
    {
        var journals = await state.FindAsync(matches);
        journals.ForEach(j => j.Dispose());
        return journals.ConvertAll(j => j.Last!.Key);
    }

    private async Task<List<string>> DeferredAsync(int most, Func<string, string, bool>? matches = null)
    {
        var journals = await state.FindDeferredAsync(most, matches);
        journals.ForEach(j => j.Dispose());
        return journals.ConvertAll(j => j.Last!.ContainerId);
    }
}
