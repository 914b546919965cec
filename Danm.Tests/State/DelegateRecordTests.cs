using System.Text.Json;
using Danm.State;

namespace Danm.Tests.State;

public sealed class DelegateRecordTests
{
    private static readonly DelegateRecord Delegate = new()
    {
        Name = "chain",
        CniVersion = "1.0.0",
        DisableCheck = true,
        DisableGc = true,
        Plugins =
        [
            new PluginRecord("ptp", """{"x":1.50,"big":12345678901234567890123,"text":"\u00e9\/\n","ipam":{"type":"static"}}"""),
            new PluginRecord("tuning", "{ \"sysctl\" : {\t} }"),
        ],
        Result = """{"cniVersion":"1.0.0","ips":[{"address":"10.8.0.5/24"}]}""" + "\n",
    };

    private static readonly SandboxRecord Record = new()
    {
        Phase = SandboxPhase.Attached,
        ContainerId = "c",
        PodUid = "u",
        Attachments =
        [
            new AttachmentRecord { Interface = "eth0", Delegate = Delegate },
            new AttachmentRecord { Interface = "net1", UnknownDelegate = "bridge", IsOutsideKernel = true },
            new AttachmentRecord { Interface = "net2" },
        ],
    };

    [Test]
    public async Task How_delegates_were_called_is_read_again_to_the_letter()
    {
        using var state = new TemporaryState();
        await state.WriteAsync(Record);

        using var journal = await state.CreateAsync();

        journal.Last.Should().BeEquivalentTo(Record with { BootId = NodeState.BootId });
        journal.Last!.Attachments[0].Delegate!.Plugins.Should().Equal(Delegate.Plugins);
        journal.Last.Attachments[0].Delegate!.Result.Should().Be(Delegate.Result);
    }

    [Test]
    public async Task A_record_without_them_says_nothing_of_them()
    {
        using var state = new TemporaryState();
        await state.WriteAsync(Record with { Attachments = [Record.Attachments[2]] });

        (await File.ReadAllTextAsync(state.Sandbox("u_c"))).Should().NotContain("Delegate").And.NotContain("IsOutsideKernel");
    }

    [Test]
    public async Task STATUS_finds_those_of_a_version_that_has_it_without_a_lock()
    {
        using var state = new TemporaryState();
        await state.WriteAsync(Record);
        await state.WriteAsync(Record with { ContainerId = "new", Attachments = [new AttachmentRecord { Interface = "eth0", Delegate = Delegate with { CniVersion = "1.1.0" } }] });
        using var locked = await state.CreateAsync(containerId: "new");

        state.Node.Peek("\"CniVersion\":\"1.1."u8.ToArray()).Select(r => r.ContainerId).Should().Equal("new");
    }

    // As a later or a careless writer may have left them: absent and null are the same as empty.
    [TestCase("""{"ContainerId":"c","Attachments":[{"Interface":"eth0","Delegate":{"Name":null,"Plugins":null}}]}""", "", 0)]
    [TestCase("""{"ContainerId":"c","Attachments":[{"Interface":"eth0","Delegate":{"Name":"n","Later":[1],"Plugins":[{"Type":"ptp","Config":"{}","Later":1}]}}]}""", "n", 1)]
    public void What_is_absent_is_empty(string line, string name, int plugins)
    {
        var (last, damaged, _) = Journal.Read(System.Text.Encoding.UTF8.GetBytes(line));

        damaged.Should().BeFalse();
        var read = last!.Attachments[0].Delegate!;
        (read.Name, read.Plugins.Count).Should().Be((name, plugins));
        JsonSerializer.Serialize(last, StateJson.Default.SandboxRecord).Should().NotContain("null");
    }
}
