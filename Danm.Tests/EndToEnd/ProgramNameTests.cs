using System.Diagnostics;

namespace Danm.Tests.EndToEnd;

/// <summary>The published executable under the names that its links have.</summary>
[TestFixture]
public sealed class ProgramNameTests
{
    private DirectoryInfo folder = null!;

    [OneTimeSetUp]
    public void Require()
    {
        DanmBinary.Require();
        folder = Directory.CreateTempSubdirectory("danm-names-");
    }

    [OneTimeTearDown]
    public void Remove() => folder?.Delete(recursive: true);

    [Test]
    public async Task Every_name_tells_its_version_in_Gos_spelling_too(
        [Values("danm", "netwatcher", "svcwatcher", "webhook", "controller", "kubectl-danm")] string name, [Values("-version", "--version")] string flag)
    {
        var (code, output, error) = await RunAsync(name, flag);

        (code, error).Should().Be((0, ""));
        output.Should().StartWith("danm ");
    }

    [TestCase("netwatcher", "--vxlan-flooding")]
    [TestCase("svcwatcher", "--leader-elect")]
    [TestCase("webhook", "--self-signed")]
    [TestCase("controller", "--leader-elect")]
    [TestCase("danm", "ipam")]
    public async Task Every_name_has_its_own_help(string name, string says)
    {
        var (code, output, _) = await RunAsync(name, "--help");

        code.Should().Be(0);
        output.Should().Contain(says);
    }

    [TestCase("netwatcher", "--kubeconf", "/nowhere", 1)]
    [TestCase("webhook", "-bind-port", "8443", 2)]
    [TestCase("controller", "--no-such-flag", "x", 2)]
    public async Task Errors_are_a_line_each_whatever_the_name(string name, string flag, string value, int exitCode)
    {
        var (code, _, error) = await RunAsync(name, flag, value);

        code.Should().Be(exitCode);
        error.Should().StartWith("error: ").And.NotContain("   at ");
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string name, params string[] arguments)
    {
        var link = Path.Combine(folder.FullName, name);
        if (!File.Exists(link))
            File.CreateSymbolicLink(link, DanmBinary.Path);
        using var process = Process.Start(new ProcessStartInfo(link, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        return (process.ExitCode, await output, await error);
    }
}
