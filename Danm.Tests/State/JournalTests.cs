using Danm.State;

namespace Danm.Tests.State;

public sealed class JournalTests
{
    private static readonly SandboxRecord First = new()
    {
        ContainerId = "c",
        PodUid = "u",
        PodNamespace = "default",
        PodName = "amf-0",
        Netns = "/run/netns/x",
        Attachments = [new AttachmentRecord { Interface = "eth0", Network = "DanmNet/default/n", Addresses = ["10.0.0.5/24"], Routes = [new RouteRecord("0.0.0.0/0", "10.0.0.1", 254)] }],
        Claims = [new ClaimRecord { Kind = "IPAllocation", Name = "10-0-0-5.untagged.ens4", EndpointId = "e" }],
    };

    private static readonly SandboxRecord Second = First with { Phase = SandboxPhase.Attached, Claims = [First.Claims[0] with { Uid = "1" }] };

    private TemporaryState state = null!;

    [SetUp]
    public void SetUp() => state = new TemporaryState();

    [TearDown]
    public void TearDown() => state.Dispose();

    [Test]
    public async Task A_new_journal_says_nothing_and_is_whole()
    {
        using var journal = await state.CreateAsync();

        journal.Last.Should().BeNull();
        journal.IsDamaged.Should().BeFalse();
    }

    [Test]
    public async Task What_was_written_last_is_read_again()
    {
        using (var journal = await state.CreateAsync())
        {
            journal.Write(First, durable: true);
            journal.Write(Second, durable: false);
            journal.Last.Should().BeEquivalentTo(Second with { BootId = NodeState.BootId });
        }

        using var again = await state.CreateAsync();
        again.Last.Should().BeEquivalentTo(Second with { BootId = NodeState.BootId });
        again.Last!.BootId.Should().Be(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim());
        again.Last.Key.Should().Be("u_c");
    }

    [Test]
    public async Task Only_its_owner_can_read_it()
    {
        await state.WriteAsync(First);

        File.GetUnixFileMode(state.Sandbox("u_c")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (var folder in (string[])[state.Folder, Path.Combine(state.Folder, "sandboxes"), Path.Combine(state.Folder, "deferred")])
            File.GetUnixFileMode(folder).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static readonly string[] Damage =
    [
        "{",
        """{"ContainerId":"c","Claims":[{"Kind":"IPAll""",
        "\0\0\0\0",
        "[]",
        "null",
        "5",
        "{}",
        """{"ContainerId":""}""",
        """{"ContainerId":5}""",
        """{"ContainerId":"c","Phase":"Sleeping"}""",
        """{"ContainerId":"\ud800"}""",
        """{"ContainerId":"c"} {"ContainerId":"d"}""",
        "apiVersion: v1\nkind: Pod\n",
        new string('[', 100),
    ];

    [TestCaseSource(nameof(Damage))]
    public async Task The_line_before_the_damage_counts_and_the_next_write_is_read(string damage)
    {
        await state.WriteAsync(First);
        await File.AppendAllTextAsync(state.Sandbox("u_c"), damage);

        using (var journal = await state.CreateAsync())
        {
            journal.Last.Should().BeEquivalentTo(First with { BootId = NodeState.BootId });
            journal.IsDamaged.Should().BeFalse();
            journal.Write(Second, durable: true);
        }

        using var again = await state.CreateAsync();
        again.Last!.Phase.Should().Be(SandboxPhase.Attached);
    }

    [TestCaseSource(nameof(Damage))]
    public async Task Nothing_but_damage_is_told_from_nothing(string damage)
    {
        (await state.CreateAsync()).Dispose();
        await File.WriteAllTextAsync(state.Sandbox("u_c"), damage);

        using var journal = await state.CreateAsync();

        journal.Last.Should().BeNull();
        journal.IsDamaged.Should().BeTrue();
    }

    [Test]
    public async Task Bytes_that_are_no_text_are_damage()
    {
        (await state.CreateAsync()).Dispose();
        await File.WriteAllBytesAsync(state.Sandbox("u_c"), [.. "{\"ContainerId\":\""u8, 0xFF, 0xC0, .. "\"}\n"u8]);

        using var journal = await state.CreateAsync();

        journal.Last.Should().BeNull();
        journal.IsDamaged.Should().BeTrue();
    }

    [Test]
    public async Task A_file_that_others_can_write_is_not_believed_when_found_and_replaced_when_a_journal_begins()
    {
        await state.WriteAsync(First);
        File.SetUnixFileMode(state.Sandbox("u_c"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);

        using (var found = (await state.FindAsync((_, _) => true)).Single())
        {
            found.Last.Should().BeNull();
            found.IsDamaged.Should().BeTrue();
            found.Fault.Should().Be("can be written by others than its owner");
        }

        using (var begun = await state.CreateAsync())
        {
            begun.Last.Should().BeNull();
            begun.IsDamaged.Should().BeFalse();
            begun.Write(Second, durable: true);
        }

        File.GetUnixFileMode(state.Sandbox("u_c")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var again = (await state.FindAsync((_, _) => true)).Single();
        again.Last!.Phase.Should().Be(SandboxPhase.Attached);
    }

    [Test]
    public async Task A_long_journal_is_read_from_its_end()
    {
        using (var journal = await state.CreateAsync())
        {
            for (var i = 0; i < 3000; i++)
                journal.Write(First with { PodName = $"p{i}" }, durable: false);
        }

        new FileInfo(state.Sandbox("u_c")).Length.Should().BeGreaterThan(1 << 20);
        using var again = await state.CreateAsync();
        again.Last!.PodName.Should().Be("p2999");
    }

    // 64 networks of 512 routes each are allowed.
    [Test]
    public async Task A_record_of_any_size_is_read_whole()
    {
        var routes = Enumerable.Range(0, 512).Select(i => new RouteRecord($"2001:db8:{i:x}::/48", "2001:db8:ffff:ffff:ffff:ffff:ffff:1", 254)).ToList();
        var large = Second with { Attachments = [.. Enumerable.Range(0, 64).Select(i => new AttachmentRecord { Interface = $"eth{i}", Routes = routes })] };
        using (var journal = await state.CreateAsync())
        {
            journal.Write(First, durable: true);
            journal.Write(large, durable: true);
        }

        new FileInfo(state.Sandbox("u_c")).Length.Should().BeGreaterThan(3 << 19);
        using var again = await state.CreateAsync();
        again.IsDamaged.Should().BeFalse();
        again.Last!.Attachments.Should().HaveCount(64);
        again.Last.Attachments[63].Routes.Should().HaveCount(512);
    }

    [Test]
    public async Task Deferring_marks_and_remembers_when_it_began()
    {
        var before = NodeState.Uptime;
        using (var journal = await state.CreateAsync())
        {
            journal.Write(Second, durable: true);
            File.Exists(state.Mark("u_c")).Should().BeFalse();
            journal.Defer(Second);
        }

        File.Exists(state.Mark("u_c")).Should().BeTrue();
        using var again = await state.CreateAsync();
        again.Last!.Phase.Should().Be(SandboxPhase.Deferred);
        again.Last.DeferredAt.Should().BeInRange(before, NodeState.Uptime);
        again.Defer(again.Last with { DeferredAt = 7, Claims = [] });
        again.Last.DeferredAt.Should().Be(7, "it was deferred before");
        again.Last.Claims.Should().BeEmpty();
    }

    [Test]
    public async Task What_cannot_be_marked_is_not_called_deferred()
    {
        using (var journal = await state.CreateAsync())
        {
            journal.Write(Second, durable: true);
            Directory.Delete(Path.Combine(state.Folder, "deferred"));
            await File.WriteAllTextAsync(Path.Combine(state.Folder, "deferred"), "in the way");

            journal.Invoking(j => j.Defer(Second)).Should().Throw<IOException>();
        }

        File.Delete(Path.Combine(state.Folder, "deferred"));
        using var again = await state.CreateAsync();
        again.Last!.Phase.Should().Be(SandboxPhase.Attached);
    }

    [Test]
    public async Task Removing_forgets_the_sandbox_and_its_mark()
    {
        await state.DeferAsync(Second);
        using (var journal = await state.CreateAsync())
        {
            journal.Remove();
            journal.Remove();
        }

        Directory.GetFiles(state.Folder, "*", SearchOption.AllDirectories).Should().BeEmpty();
        (await state.FindAsync((_, _) => true)).Should().BeEmpty();
    }

    [Test]
    public async Task A_link_is_never_followed()
    {
        var target = Path.Combine(state.Folder, "target");
        (await state.CreateAsync("other")).Dispose();
        await File.WriteAllTextAsync(target, "precious");
        File.CreateSymbolicLink(state.Sandbox("u_c"), target);

        await state.Invoking(s => s.CreateAsync()).Should().ThrowAsync<IOException>();
        await state.Invoking(s => s.FindAsync((u, _) => u == "u")).Should().ThrowAsync<IOException>();

        (await File.ReadAllTextAsync(target)).Should().Be("precious");
    }

    [Test]
    public async Task A_link_to_nothing_makes_no_file_elsewhere()
    {
        var target = Path.Combine(state.Folder, "target");
        (await state.CreateAsync("other")).Dispose();
        File.CreateSymbolicLink(state.Sandbox("u_c"), target);

        await state.Invoking(s => s.CreateAsync()).Should().ThrowAsync<IOException>();

        File.Exists(target).Should().BeFalse();
    }

    [TestCase(100, 154, true)]
    [TestCase(100, 155, false)]
    public async Task A_name_that_no_file_can_have_is_refused(int uid, int container, bool fits)
    {
        var create = async () => (await state.CreateAsync(new string('u', uid), new string('c', container))).Dispose();

        if (fits)
            await create.Should().NotThrowAsync();
        else
            (await create.Should().ThrowAsync<IOException>()).WithMessage("*too long*");
    }

    [Test]
    public async Task One_call_at_a_time_has_it()
    {
        using var holder = await state.CreateAsync();

        (await state.Invoking(s => s.CreateAsync(waitMilliseconds: 60)).Should().ThrowAsync<IOException>()).WithMessage("*container \"c\" is still at work*");
    }

    [Test]
    public async Task Waiting_for_it_ends_when_it_is_free_and_sees_what_was_written()
    {
        var holder = await state.CreateAsync();
        var waiting = state.CreateAsync(waitMilliseconds: 60_000);
        holder.Write(First, durable: false);
        waiting.IsCompleted.Should().BeFalse();

        holder.Dispose();

        using var journal = await waiting;
        journal.Last!.PodName.Should().Be("amf-0");
    }

    [Test]
    public async Task Who_waited_while_it_was_removed_gets_a_new_one_that_others_find()
    {
        var holder = await state.CreateAsync();
        holder.Write(First, durable: false);
        var waiting = state.CreateAsync(waitMilliseconds: 60_000);

        holder.Remove();
        holder.Dispose();

        using (var journal = await waiting)
        {
            journal.Last.Should().BeNull();
            journal.Write(Second, durable: true);
        }

        var found = (await state.FindAsync((_, c) => c == "c")).Should().ContainSingle().Subject;
        found.Last!.Phase.Should().Be(SandboxPhase.Attached);
        found.Dispose();
    }

    [Test]
    public async Task Waiting_ends_with_the_call()
    {
        using var holder = await state.CreateAsync();
        using var call = new CancellationTokenSource();
        var waiting = state.Node.CreateAsync("u", "c", TimeSpan.FromMinutes(1), call.Token);

        await call.CancelAsync();

        await waiting.Invoking(w => w).Should().ThrowAsync<OperationCanceledException>();
    }

    [Test]
    public async Task A_folder_that_cannot_be_made_is_an_error_that_names_it()
    {
        await File.WriteAllTextAsync(state.Folder, "in the way");

        (await state.Invoking(s => s.CreateAsync()).Should().ThrowAsync<IOException>()).WithMessage($"*{state.Folder}*");
    }
}
