using System.Text.Json.Nodes;
using Danm.State;

namespace Danm.Tests.State;

/// <summary>Builds before and after this one work on the same node: what they wrote is read, kept, or left alone.</summary>
public sealed class JournalFormatTests
{
    private TemporaryState state = null!;

    private string File => state.Sandbox("u_c");

    [SetUp]
    public async Task BeginAsync()
    {
        state = new TemporaryState();
        (await state.CreateAsync()).Dispose();
    }

    [TearDown]
    public void End() => state.Dispose();

    // Each format that a release has written has its file here for good.
    [Test]
    public async Task Every_member_of_format_1_is_understood()
    {
        var written = await System.IO.File.ReadAllTextAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "State/Formats/1.json"));
        await System.IO.File.WriteAllTextAsync(File, written.ReplaceLineEndings(""));

        using (var journal = await state.CreateAsync())
        {
            var record = journal.Last!;
            record.More.Should().BeNull();
            record.Attachments.Should().OnlyContain(a => a.More == null && (a.Delegate == null || a.Delegate.More == null));
            record.Claims.Should().OnlyContain(c => c.More == null);
            journal.Write(record, durable: true);
        }

        var rewritten = JsonNode.Parse((await System.IO.File.ReadAllLinesAsync(File))[^1])!;
        rewritten["BootId"] = "a boot";
        JsonNode.DeepEquals(rewritten, JsonNode.Parse(written)).Should().BeTrue("this build writes the members that it read: {0}", rewritten);
    }

    [Test]
    public async Task What_a_later_build_wrote_besides_is_written_back()
    {
        await System.IO.File.WriteAllTextAsync(File, """
            {"Version":7,"ContainerId":"c","PodUid":"u","Later":{"a":[1.50]},"Attachments":[{"Interface":"eth0","Vf":3,"Delegate":{"Name":"n","Sandboxed":true}}],"Claims":[{"Kind":"IPAllocation","Name":"x","Cluster":"b"},null]}
            """);

        using (var journal = await state.CreateAsync())
        {
            journal.Last!.Attachments.Should().ContainSingle().Which.Interface.Should().Be("eth0");
            journal.Defer(journal.Last!);
        }

        var line = (await System.IO.File.ReadAllLinesAsync(File))[^1];
        line.Should().Contain("\"Phase\":\"Deferred\"").And.Contain("\"Version\":7").And.Contain("\"Later\":{\"a\":[1.50]}").And.Contain("\"Vf\":3").And.Contain("\"Sandboxed\":true").And.Contain("\"Cluster\":\"b\"");
    }

    // The second could not be read at all, and still is no torn line.
    [TestCase("""{"Version":2,"Needs":2,"ContainerId":"c","PodUid":"u","Phase":"Attached"}""")]
    [TestCase("""{"Needs":3,"ContainerId":{"id":"c"},"Phase":"Moving"}""")]
    public async Task What_only_a_later_build_may_act_on_is_left_as_it_is(string line)
    {
        var content = "\n{\"Version\":1,\"ContainerId\":\"c\",\"PodUid\":\"u\"}\n" + line + "\n";
        await System.IO.File.WriteAllTextAsync(File, content);

        await state.Invoking(s => s.CreateAsync()).Should().ThrowAsync<JournalFormatException>().WithMessage("*u_c\" is of a later Danm: it needs format *, and this one reads up to 1. Install the later one on this node again");
        await state.Invoking(s => s.FindAsync((_, _) => true)).Should().ThrowAsync<JournalFormatException>();

        state.Node.Survey().Should().ContainSingle().Which.Should().Match<JournalSight>(s => s.Last == null && s.IsDamaged);
        (await System.IO.File.ReadAllTextAsync(File)).Should().Be(content);
    }

    [Test]
    public async Task Its_release_waits_and_those_of_others_go_on()
    {
        foreach (var container in (string[])["a", "c", "d"])
            await state.DeferAsync(new SandboxRecord { ContainerId = container, PodUid = "u" });
        await System.IO.File.AppendAllTextAsync(File, "{\"Needs\":2,\"ContainerId\":\"c\"}\n");

        var found = await state.FindDeferredAsync();

        found.Select(j => j.Last!.ContainerId).Should().BeEquivalentTo("a", "d");
        found.ForEach(j => j.Dispose());
        System.IO.File.Exists(state.Mark("u_c")).Should().BeTrue();
    }
}
