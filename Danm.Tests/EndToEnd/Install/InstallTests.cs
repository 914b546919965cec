using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd.Install;

/// <summary>What the installer puts on a node, keeps there and takes away.</summary>
[TestFixture, Parallelizable]
public sealed class InstallTests : InstallFixture
{
    [Test]
    public async Task A_node_gets_plugins_credentials_and_a_configuration_that_adopts_the_primary_network()
    {
        Primary();
        var before = File.ReadAllText(Path.Combine(ConfDir, "10-pods.conflist"));

        var (code, log) = await OnceAsync("--naming-scheme", "legacy");

        code.Should().Be(0, log);
        log.Split('\n').Where(l => l.Length > 0).Should().OnlyContain(l => l.Contains(" info: "), "what is written is no warning");

        Faults().Should().BeEmpty();
        var config = JsonNode.Parse(Text(Conflist))!;
        config["cniVersion"].String().Should().Be("1.0.0");
        config["cniVersions"]!.AsArray().Select(v => v.String()).Should().Equal("1.0.0", "1.1.0");
        JsonNode.DeepEquals(config["plugins"], JsonNode.Parse($$"""
            [{"type":"danm","kubeconfig":"{{ConfDir}}/danm.d/kubeconfig","cniDir":"{{ConfDir}}","nodeName":"node-1","namingScheme":"legacy","capabilities":{"bandwidth":true,"portMappings":true} }]
            """)).Should().BeTrue(config.ToJsonString());
        File.GetUnixFileMode(Path.Combine(ConfDir, "danm.d")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var secret in (string[])["kubeconfig", "token"])
            File.GetUnixFileMode(Path.Combine(ConfDir, "danm.d", secret)).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var network = Server.Store.Get("danm.io/v1", "ClusterNetwork", null, "default").At("spec");
        (network.At("NetworkID").String(), network.At("NetworkType").String()).Should().Be(("10-pods", "bridge"));
        Text(ConfDir, "10-pods.conflist").Should().Be(before, "whoever wrote it may write it again");
        (await RunAsync(Path.Combine(BinDir, "danm"), "--version")).Code.Should().Be(0);
        Server.Tokens[Text(ConfDir, "danm.d", "token")].Should().Be("system:serviceaccount:kube-system:danm");
    }

    [Test]
    public async Task It_waits_for_the_primary_network_and_then_removes_the_originals_configuration()
    {
        File.WriteAllText(Path.Combine(ConfDir, "00-danm.conf"), """{"cniVersion":"0.3.1","name":"old","type":"danm"}""");

        await using var installer = Start();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("waiting for the cluster's primary network"), seconds: 20);
        File.Exists(Conflist).Should().BeFalse();
        File.Exists(Path.Combine(ConfDir, "00-danm.conf")).Should().BeTrue("the node's Pods still start with it");

        Primary();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("installed: Pods of this node start with Danm"), seconds: 20);
        Faults().Should().BeEmpty();
        File.Exists(Path.Combine(ConfDir, "00-danm.conf")).Should().BeFalse();
        (await installer.StopAsync()).Should().Be(0, installer.Log);
        Faults().Should().BeEmpty("what is installed stays");
    }

    [TestCase("00-multus.conf", """{"name":"multus-cni-network","type":"multus","kubeconfig":"/etc/cni/net.d/multus.d/multus.kubeconfig"}""", "is the configuration of multus", Description = "another metaplugin")]
    [TestCase("05-list.conflist", """{"name":"l","plugins":[{"type":"ptp"},{"type":"Genie"}]}""", "is the configuration of Genie", Description = "in a chain")]
    [TestCase("05-bad.conflist", """{"name":"l","plugins":[""", "the primary network cannot be adopted", Description = "half a file")]
    [TestCase("05 bad.conf", """{"name":"l","type":"ptp"}""", "its name cannot be a NetworkID", Description = "a name that no network can have")]
    public async Task What_must_not_be_adopted_is_named_and_nothing_changes_for_Pods(string name, string content, string expected)
    {
        Primary();
        Primary(name, content);

        var (code, error) = await OnceAsync();

        code.Should().Be(1, error);
        error.Should().MatchRegex("(?m)^error: ").And.Contain(expected);
        File.Exists(Conflist).Should().BeFalse();
        Server.Store.Count("danm.io/v1", "ClusterNetwork").Should().Be(0);
    }

    [Test]
    public async Task A_default_network_that_is_there_is_left_as_it_is()
    {
        Primary();
        Primary("05-first.conf", """{"cniVersion":"1.0.0","name":"f","type":"ptp"}""");
        Server.Store.Create(Objects.Network("ClusterNetwork", "default", """{"NetworkID":"10-pods","NetworkType":"bridge"}"""));

        (await OnceAsync()).Code.Should().Be(0);
        JsonNode.Parse(Text(Conflist))!.At("plugins")![0].At("capabilities", "portMappings")!.GetValue<bool>().Should().BeTrue("the adopted network's, not the first file's");

        Primary("10-pods.conflist", """{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"macvlan"}]}""");
        var (code, error) = await OnceAsync();
        code.Should().Be(1);
        error.Should().Contain("ClusterNetwork/default has NetworkType bridge, but 10-pods").And.Contain("is of type macvlan");
    }

    [Test]
    public async Task What_somebody_else_changes_comes_back_and_what_is_right_is_not_touched()
    {
        Primary();
        await using var installer = Start();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("installed:"), seconds: 20);
        var times = Times();
        await Task.Delay(7000);
        Times().Should().Equal(times, "a round without a difference writes nothing");

        File.Delete(Conflist);
        File.Delete(Path.Combine(BinDir, "fakeipam"));
        File.WriteAllText(Path.Combine(BinDir, "danm"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(ConfDir, "danm.d", "token"), UnixFileMode.UserRead | UnixFileMode.OtherRead | UnixFileMode.UserWrite);
        File.WriteAllText(Path.Combine(ConfDir, "danm.d", "kubeconfig"), "{}");
        // As another version of the primary network's own DaemonSet would write it.
        Primary(content: """{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"bridge","bridge":"br0","capabilities":{"mac":true}}]}""");

        await Netwatcher.Eventually.HoldsAsync(() =>
        {
            File.Exists(Conflist).Should().BeTrue();
            Faults().Should().BeEmpty();
            JsonNode.Parse(Text(Conflist))!.At("plugins")![0].At("capabilities")!.ToJsonString().Should().Be("""{"mac":true}""");
            File.GetUnixFileMode(Path.Combine(ConfDir, "danm.d", "token")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }, seconds: 20);

        string[] Times() => [.. Directory.EnumerateFileSystemEntries(ConfDir, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(BinDir)).Order().Select(f => $"{f} {File.GetLastWriteTimeUtc(f):O}")];
    }

    [Test]
    public async Task A_restart_while_the_API_server_is_away_takes_nothing_away()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        Server.Faults.Add(new ApiServer.Http.Fault(_ => true) { Answer = new StatusException(503, "ServiceUnavailable", "away") });

        await using var installer = Start();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("away"), seconds: 40);

        Faults().Should().BeEmpty();
    }

    [Test]
    public async Task A_Node_that_was_made_anew_gets_another_token()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var token = Text(ConfDir, "danm.d", "token");
        (await OnceAsync()).Code.Should().Be(0);
        Text(ConfDir, "danm.d", "token").Should().Be(token);

        Server.Store.Delete("v1", "Node", null, "node-1");
        (await OnceAsync()).Error.Should().Contain("there is no Node node-1");
        Server.Store.Create(EndToEnd.Objects.Node("node-1"));
        (await OnceAsync()).Code.Should().Be(0);
        Text(ConfDir, "danm.d", "token").Should().NotBe(token, "that of the Node before is not good any more");
    }

    [Test]
    public async Task Uninstall_leaves_nothing_and_refuses_while_Pods_have_interfaces()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var state = Directory.CreateDirectory(Path.Combine(ConfDir, "..", "state", "sandboxes"));
        File.WriteAllText(Path.Combine(state.FullName, "uid_container"), "{}");
        string[] uninstall = [DanmBinary.Path, "uninstall", "--cni-bin-dir", BinDir, "--cni-conf-dir", ConfDir, "--state-dir", state.Parent!.FullName];

        var (code, error) = await RunAsync(uninstall);
        code.Should().Be(1);
        error.Should().Contain("1 sandboxes of this node have interfaces by Danm").And.Contain("drain");
        Faults().Should().BeEmpty();

        (await RunAsync([.. uninstall, "--force"])).Code.Should().Be(0);
        Directory.EnumerateFileSystemEntries(BinDir).Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(ConfDir).Select(Path.GetFileName).Should().Equal("10-pods.conflist");
        state.Parent.Exists.Should().BeFalse();
        (await RunAsync(uninstall)).Code.Should().Be(0, "there is nothing to do");
    }

    [Test]
    public async Task Uninstall_as_a_DaemonSet_takes_the_configuration_at_once_and_the_rest_after_the_last_Pod()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var state = Directory.CreateDirectory(Path.Combine(ConfDir, "..", "state", "sandboxes"));
        var last = Path.Combine(state.FullName, "uid_container");
        File.WriteAllText(last, "{}");

        await using var uninstaller = ModeProcess.Start("uninstall", "--stay", "--cni-bin-dir", BinDir, "--cni-conf-dir", ConfDir, "--state-dir", state.Parent!.FullName);

        await Netwatcher.Eventually.HoldsAsync(() => File.Exists(Conflist).Should().BeFalse());
        await Netwatcher.Eventually.HoldsAsync(() => uninstaller.Log.Should().Contain("1 sandboxes of this node have interfaces by Danm"));
        File.Exists(Path.Combine(BinDir, "danm")).Should().BeTrue("the Pod's end needs it");
        Directory.Exists(Path.Combine(ConfDir, "danm.d")).Should().BeTrue("the Pod's end needs it");
        File.Delete(last);
        await Netwatcher.Eventually.HoldsAsync(() => Directory.Exists(state.Parent.FullName).Should().BeFalse());
        Directory.EnumerateFileSystemEntries(BinDir).Should().BeEmpty();
        Directory.EnumerateFileSystemEntries(ConfDir).Select(Path.GetFileName).Should().Equal("10-pods.conflist");
        (await uninstaller.StopAsync()).Should().Be(0, uninstaller.Log);
    }

    [Test]
    public async Task While_the_API_server_is_away_what_is_installed_stays_and_comes_back()
    {
        Primary();
        await using var installer = Start();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("installed: Pods of this node start with Danm"), seconds: 20);
        Server.Faults.Add(new Fault(_ => true) { DropBefore = true });

        File.Delete(Conflist);
        File.Delete(Path.Combine(BinDir, "danm"));

        await Netwatcher.Eventually.HoldsAsync(() => Faults().Concat(File.Exists(Conflist) ? [] : ["no configuration"]).Should().BeEmpty(), seconds: 30);
    }

    [Test]
    public async Task The_originals_settings_name_the_primary_network_and_write_its_file_where_nobody_does()
    {
        string[] settings = ["--default-network-id", "50-boot", "--default-network-type", "bridge", "--default-network-config", Bridge];

        (await OnceAsync(settings)).Code.Should().Be(0);

        Text(ConfDir, "50-boot.conflist").Should().Be(Bridge);
        Server.Store.Get("danm.io/v1", "ClusterNetwork", null, "default").At("spec", "NetworkID").String().Should().Be("50-boot");
        File.WriteAllText(Path.Combine(ConfDir, "50-boot.conflist"), Bridge + "\n");
        (await OnceAsync(settings)).Code.Should().Be(0);
        Text(ConfDir, "50-boot.conflist").Should().EndWith("\n", "what somebody has written since stays");
    }

    [TestCase("--default-network-config", "{}", "default_cni_config_data needs default_cni_network_id", Description = "without a name")]
    [TestCase("--default-network-config", "kind: Pod", "is no JSON object", "--default-network-id", "a", Description = "no JSON")]
    [TestCase("--default-network-id", "../x", "is no JSON object|needs default_cni_network_id", "--default-network-config", "{}", Description = "a name that leads elsewhere")]
    [TestCase("--default-network-config", """{"plugins":[{"type":"multus"}]}""", "is the configuration of multus|default_cni_config_data", "--default-network-id", "a", Description = "a metaplugin's")]
    [TestCase("--cni-dir", "/elsewhere", "must be that folder", Description = "networks' files where nobody looks")]
    [TestCase("--vxlan-flooding", "anycast", "neither multicast nor unicast", Description = "a way that there is not")]
    [TestCase("--default-network-type", "flannel", "default_cni_type is flannel, but 10-pods", Description = "another plugin than the file's")]
    public async Task Settings_that_cannot_be_are_refused(string option, string value, string expected, params string[] more)
    {
        Primary();
        var (code, error) = await OnceAsync([option, value, .. more]);

        code.Should().Be(1);
        error.Should().MatchRegex(expected);
        File.Exists(Conflist).Should().BeFalse();
    }

    [TestCase("00-multus.conf", """{"name":"m","type":"multus"}""", "is the configuration of multus", false, Description = "a metaplugin, where another node has made the default network")]
    [TestCase("00-loop.conf", """{"name":"l","type":"loopback"}""", "is the configuration of multus", false, "05-multus.conf", Description = "a metaplugin behind the loopback's")]
    [TestCase("00-calico.conf", """{"name":"m","type":"bridge"}""", "comes before 00-danm.conflist", true, Description = "a file that runtimes take before ours")]
    public async Task Each_node_looks_at_its_own_folder(string name, string content, string expected, bool isWritten, string? more = null)
    {
        Server.Store.Create(EndToEnd.Objects.Network("ClusterNetwork", "default", """{"NetworkID":"10-pods","NetworkType":"bridge"}"""));
        Primary();
        Primary(name, content);
        if (more is not null)
            Primary(more, """{"name":"m","type":"multus"}""");

        var (code, error) = await OnceAsync();

        code.Should().Be(1);
        error.Should().Contain(expected);
        File.Exists(Conflist).Should().Be(isWritten);
    }

    [TestCase("macvlan", "create ClusterNetwork/default with host_device")]
    [TestCase("loopback", "waiting for the cluster's primary network")]
    public async Task What_cannot_be_a_primary_network_is_not_adopted(string type, string expected)
    {
        Primary("10-pods.conf", $$"""{"name":"m","type":"{{type}}"}""");

        var (code, error) = await OnceAsync();

        code.Should().Be(1);
        error.Should().Contain(expected);
        Server.Store.Get("danm.io/v1", "ClusterNetwork", null, "default").Should().BeNull();
        Directory.EnumerateFileSystemEntries(BinDir).Should().BeEmpty("the programs of whoever has the node's Pods stay");
    }

    [Test]
    public async Task A_young_token_that_the_server_refuses_is_replaced()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var before = Text(ConfDir, "danm.d", "token");
        // As after its account was made anew, or with another signing key.
        Server.Tokens.Remove(before);

        (await OnceAsync()).Code.Should().Be(0);

        Text(ConfDir, "danm.d", "token").Should().NotBe(before);
        Server.Tokens.Should().ContainKey(Text(ConfDir, "danm.d", "token"));
    }

    [Test]
    public async Task What_is_right_is_not_written_again()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var files = (string[])[Path.Combine(BinDir, "danm"), Conflist, Path.Combine(ConfDir, "danm.d", "token")];
        var before = files.Select(f => new FileInfo(f).LastWriteTimeUtc).ToList();

        (await OnceAsync()).Code.Should().Be(0);

        files.Select(f => new FileInfo(f).LastWriteTimeUtc).Should().Equal(before);
    }

    [Test]
    public async Task What_a_full_disk_did_not_let_finish_does_not_stay()
    {
        Primary();
        var size = new FileInfo(DanmBinary.Path).Length / 2;
        var command = $"mount -t tmpfs -o size={size} tmpfs {BinDir} && {DanmBinary.Path} install --once {string.Join(' ', Arguments())}; echo code $?; ls -A {BinDir} | wc -l";

        var (_, output) = await RunAsync("unshare", "--mount", "bash", "-c", $"{{ {command}; }} >&2");

        output.Should().Contain("No space left on device").And.EndWith("code 1\n0\n");
    }

    [Test]
    public async Task A_folder_that_cannot_be_written_and_a_setting_that_cannot_be_let_no_token_end()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);
        var before = Text(ConfDir, "danm.d", "token");
        Server.Tokens.Remove(before);
        File.Delete(Path.Combine(BinDir, "fakeipam"));
        var arguments = string.Join(' ', Arguments());

        var (_, output) = await RunAsync("unshare", "--mount", "bash", "-c", $"{{ mount --bind -o ro {BinDir} {BinDir} && {DanmBinary.Path} install --once {arguments}; echo code $?; }} >&2");

        output.Should().Contain("Read-only file system").And.EndWith("code 1\n");
        var renewed = Text(ConfDir, "danm.d", "token");
        renewed.Should().NotBe(before);
        Server.Tokens.Remove(renewed);
        (await OnceAsync("--vxlan-flooding", "anycast")).Error.Should().Contain("neither multicast nor unicast");
        Text(ConfDir, "danm.d", "token").Should().NotBe(renewed);
        File.Exists(Path.Combine(BinDir, "fakeipam")).Should().BeTrue();
    }

    [Test]
    public async Task Uninstall_that_does_not_see_what_the_node_remembers_refuses()
    {
        Primary();
        (await OnceAsync()).Code.Should().Be(0);

        var (code, error) = await RunAsync(DanmBinary.Path, "uninstall", "--cni-bin-dir", BinDir, "--cni-conf-dir", ConfDir, "--state-dir", Path.Combine(ConfDir, "nowhere", "danm"));

        code.Should().Be(1);
        error.Should().Contain("nowhere here: mount it");
        Faults().Should().BeEmpty();
    }
}
