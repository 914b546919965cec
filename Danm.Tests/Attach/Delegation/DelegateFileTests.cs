using System.Diagnostics;
using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Attach.Delegation;

public sealed class DelegateFileTests
{
    private const string Bridge = """{"type":"bridge","name":"br"}""";

    private string folder = "";

    [SetUp]
    public void MakeFolder()
    {
        if (!Environment.IsPrivilegedProcess)
            DanmBinary.Lacks("only root's files count: run the tests as root");
        folder = Directory.CreateTempSubdirectory("danm-cni-").FullName;
    }

    [TearDown]
    public void RemoveFolder()
    {
        if (folder.Length > 0)
            Directory.Delete(folder, recursive: true);
    }

    [TestCase("br.conf,br.json,br.conflist", "br.conf")]
    [TestCase("br.json,br.conflist", "br.json")]
    [TestCase("br.conflist", "br.conflist")]
    [TestCase("br,br.yaml,xbr.conf,br.conf.bak", null)]
    [TestCase("", null)]
    public void The_first_of_three_names_counts(string files, string? read)
    {
        foreach (var file in files.Split(',', StringSplitOptions.RemoveEmptyEntries))
            Write(file, $$"""{"type":"bridge","name":"{{file}}"}""");

        DelegateFile.TryRead(folder, "br")?.Name.Should().Be(read);
        (DelegateFile.TryRead(folder, "br") is null).Should().Be(read is null);
    }

    private static readonly TestCaseData[] Untrusted =
    [
        Row("a symbolic link", "ln -s good.conf br.conf", "symbolic link"),
        Row("a symbolic link to nothing", "ln -s nothing br.conf", "symbolic link"),
        Row("a symbolic link to a device", "ln -s /dev/zero br.conf", "symbolic link"),
        Row("a pipe", "mkfifo br.conf", "not a regular file"),
        Row("a folder", "mkdir br.conf", "not a regular file"),
        Row("a device", "mknod br.conf c 1 5", "not a regular file"),
        Row("another user's", "cp good.conf br.conf; chown 1000 br.conf", "belongs to user 1000"),
        Row("one that its group can write", "cp good.conf br.conf; chmod 664 br.conf", "can be written by others"),
        Row("one that all can write", "cp good.conf br.conf; chmod 646 br.conf", "can be written by others"),
        Row("a large one", "head -c 1048577 /dev/zero > br.conf", "larger than 1048576 bytes"),
    ];

    [TestCaseSource(nameof(Untrusted))]
    public async Task What_a_stranger_could_have_made_is_refused(string make, string says)
    {
        Write("good.conf", Bridge);
        // One of the other names does not stand in for it: it would be a way around what the administrator wrote.
        Write("br.json", Bridge);
        await ShellAsync(make);

        var read = Task.Run(() => DelegateFile.TryRead(folder, "br"));

        (await Task.WhenAny(read, Task.Delay(TimeSpan.FromSeconds(10)))).Should().BeSameAs(read, "it must not wait");
        var refused = (await FluentActions.Awaiting(() => read).Should().ThrowAsync<CniException>()).Which;
        refused.Code.Should().Be(CniErrorCode.InvalidNetwork);
        refused.Msg.Should().Contain($"{folder}/br.conf").And.Contain(says).And.Contain("regular file of root");
    }

    [Test]
    public async Task The_largest_file_is_read_whole()
    {
        Write("br.conf", Bridge[..^1] + ",\"x\":\"" + new string('x', (1 << 20) - Bridge.Length - 7) + "\"}");
        await ShellAsync("[ $(stat -c %s br.conf) = 1048576 ]");

        DelegateFile.TryRead(folder, "br")!.Plugins[0].Json.Length.Should().Be(1 << 20);
    }

    [TestCase("", CniErrorCode.DecodeFailure)]
    [TestCase("{", CniErrorCode.DecodeFailure)]
    [TestCase("{}", CniErrorCode.InvalidNetworkConfig)]
    public void What_is_no_configuration_is_an_error(string content, int code)
    {
        Write("br.conf", content);

        var error = FluentActions.Invoking(() => DelegateFile.TryRead(folder, "br")).Should().Throw<CniException>().Which;

        error.Code.Should().Be(code);
        error.Msg.Should().Contain($"{folder}/br.conf");
    }

    [Test]
    public void Of_several_networks_those_that_need_a_file_are_read_each_once()
    {
        Write("br.conf", Bridge);

        var files = DelegateFile.ReadAll([Network("a", "bridge", "br"), Network("a", "bridge", "br"), Network("mv", "MACVLAN", ""), Network("ipv", "", "missing")], folder);

        files.Keys.Select(k => k.ToString()).Should().Equal("DanmNet/ns/a");
    }

    [Test]
    public void A_network_without_its_file_says_where_to_put_it() =>
        FluentActions.Invoking(() => DelegateFile.ReadAll([Network("a", "bridge", "br")], folder)).Should().Throw<CniException>()
            .WithMessage($"*DanmNet/ns/a*'bridge'*br.conf, .json or .conflist in {folder}*").Which.Code.Should().Be(CniErrorCode.InvalidNetwork);

    [Test]
    public void Nor_can_there_be_one_without_an_id() =>
        FluentActions.Invoking(() => DelegateFile.ReadAll([Network("a", "bridge", "")], folder)).Should().Throw<CniException>().WithMessage("*spec.NetworkID is missing*");

    [TestCase("../good")]
    [TestCase("/etc/passwd")]
    [TestCase("a/../good")]
    public void A_name_that_leads_elsewhere_opens_nothing(string id)
    {
        Write("good.conf", Bridge);

        DelegateFile.ReadAll([Network("a", "bridge", id)], Path.Combine(folder, "sub")).Should().BeEmpty("the planner refuses it");
    }

    [Test]
    public void A_folder_that_is_none_is_an_error_of_the_node()
    {
        Write("file", "");

        FluentActions.Invoking(() => DelegateFile.TryRead(Path.Combine(folder, "file"), "br")).Should().Throw<CniException>().Which.Code.Should().Be(CniErrorCode.IoFailure);
    }

    private static Network Network(string name, string type, string id) => AttachmentPlannerTests.Network(new NetworkOptions { HostDevice = "ens4" }, type, id, name);

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(folder, name), content);

    private async Task ShellAsync(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-ec", script]) { WorkingDirectory = folder })!;
        await shell.WaitForExitAsync();
        shell.ExitCode.Should().Be(0, script);
    }

    private static TestCaseData Row(string name, string make, string says) => new TestCaseData(make, says).SetArgDisplayNames(name);
}
