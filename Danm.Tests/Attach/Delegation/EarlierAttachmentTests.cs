using System.Text;
using Danm.Attach.Delegation;
using Danm.Cni;

namespace Danm.Tests.Attach.Delegation;

public sealed class EarlierAttachmentTests
{
    private const string Chain = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[
          {"type":"bridge","bridge":"br0"},
          {"type":"portmap","capabilities":{"portMappings":true}}]}
        """;

    private string folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("danm-results-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public async Task The_plugins_are_called_as_the_runtime_called_them()
    {
        Write("pods-c1-eth0", Entry(Chain, more: ""","cniArgs":[["K8S_POD_NAME","p"]],"capabilityArgs":{"portMappings":[{"hostPort":80}],"bandwidth":{}},"result":{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.2/24"}]}"""));

        using var found = (await FindAsync())!;

        found.Network.Should().Be("pods");
        found.Made.Plugins.Select(p => p.Type).Should().Equal("bridge", "portmap");
        found.Made.Plugins[0].Config.Should().NotContain("runtimeConfig").And.Contain("\"name\":\"pods\"");
        found.Made.Plugins[1].Config.Should().Contain("""
            "runtimeConfig":{"portMappings":[{"hostPort":80}]}
            """.Trim());
        found.Made.Result.Should().Contain("10.7.0.2/24");
        found.Forget();
        (await FindAsync()).Should().BeNull();
    }

    [Test]
    public async Task Only_one_call_ends_it()
    {
        Write("pods-c1-eth0", Entry(Chain));
        using (await FindAsync())
            (await FluentActions.Awaiting(FindAsync).Should().ThrowAsync<CniException>()).Which.Code.Should().Be(CniErrorCode.TryAgainLater);

        using var again = await FindAsync();
        again.Should().NotBeNull();
    }

    [TestCase("""{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.7.0.2/24"}]}""", """{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.2/24"}]}""")]
    [TestCase("""{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.2/24"}],"more":1.50}""", """{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.2/24"}],"more":1.50}""")]
    [TestCase("""{"cniVersion":"9.9.9"}""", null)]
    public async Task Plugins_are_given_back_what_they_said_in_the_version_of_their_configuration(string answered, string? expected)
    {
        Write("pods-c1-eth0", Entry(Chain, more: $""","result":{answered}"""));

        using var found = (await FindAsync())!;

        found.Made.Result?.TrimEnd().Should().Be(expected);
        found.Made.Plugins.Should().OnlyContain(p => p.Config.Contains("\"cniVersion\":\"1.0.0\""));
    }

    [TestCase("0.4.0", "0.4.0")]
    [TestCase("1.0.0", "1.0.0")]
    [TestCase("0.3.1", "1.1.0")]
    public async Task Of_several_versions_that_counts_in_which_plugins_answered(string answered, string expected)
    {
        Write("pods-c1-eth0", Entry("""{"cniVersion":"0.4.0","cniVersions":["0.4.0","1.0.0","1.1.0"],"name":"pods","type":"bridge"}""", more: $$""","result":{"cniVersion":"{{answered}}"}"""));

        using var found = (await FindAsync())!;

        found.Made.CniVersion.Should().Be(expected);
    }

    [TestCase("pods-c1-eth0", "danm", "c1", "eth0", "cniCacheV1", Description = "Danm's own")]
    [TestCase("pods-x-c1-eth0", "bridge", "x-c1", "eth0", "cniCacheV1", Description = "another container's, whose id ends alike")]
    [TestCase("pods-c1-eth0", "bridge", "c1", "eth0", "", Description = "of a libcni that wrote results only")]
    [TestCase("pods-c1-net1", "bridge", "c1", "net1", "cniCacheV1", Description = "another interface's")]
    public async Task What_is_of_somebody_else_is_left_to_him(string file, string type, string container, string interfaceName, string kind)
    {
        Write(file, Entry($$"""{"name":"pods","type":"{{type}}"}""", container, interfaceName, kind));

        (await FindAsync()).Should().BeNull();
        (await FindAsync("nowhere")).Should().BeNull();
    }

    [TestCase("{", "JSON")]
    [TestCase("""{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","config":"*"}""", "base64")]
    [TestCase("""{"kind":"cniCacheV1","containerId":"c1","ifName":"eth0","config":"e30="}""", "type is missing")]
    public async Task What_is_not_valid_is_an_error(string content, string expected)
    {
        Write("pods-c1-eth0", content);

        await FluentActions.Awaiting(FindAsync).Should().ThrowAsync<CniException>().WithMessage($"*{expected}*");
    }

    [Test]
    public async Task What_others_can_write_is_not_run_as_root()
    {
        Write("pods-c1-eth0", Entry(Chain));
        File.SetUnixFileMode(Path.Combine(folder, "pods-c1-eth0"), UnixFileMode.UserRead | UnixFileMode.OtherWrite);

        await FluentActions.Awaiting(FindAsync).Should().ThrowAsync<CniException>().WithMessage("*can be written by others*");
    }

    [Test]
    public async Task A_link_is_not_followed()
    {
        Write("elsewhere", Entry(Chain));
        File.CreateSymbolicLink(Path.Combine(folder, "pods-c1-eth0"), "elsewhere");

        await FluentActions.Awaiting(FindAsync).Should().ThrowAsync<CniException>().WithMessage("*is a symbolic link*");
    }

    private Task<EarlierAttachment?> FindAsync() => FindAsync("");

    private Task<EarlierAttachment?> FindAsync(string below) => EarlierAttachment.FindAsync(Path.Combine(folder, below), "c1", "eth0", TimeSpan.Zero, CancellationToken.None);

    private static string Entry(string config, string container = "c1", string interfaceName = "eth0", string kind = "cniCacheV1", string more = "") =>
        $$"""{"kind":"{{kind}}","containerId":"{{container}}","config":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(config))}}","ifName":"{{interfaceName}}","networkName":"pods"{{more}}}""";

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(folder, name), content);
}
