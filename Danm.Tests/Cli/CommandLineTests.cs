using Danm.Cli;

namespace Danm.Tests.Cli;

public class CommandLineTests
{
    [TestCase("--version")]
    [TestCase("-version")]
    public void Tells_version_commit_and_runtime(string flag)
    {
        var (exitCode, output, error) = Run(flag);

        exitCode.Should().Be(0);
        output.Should().MatchRegex(@"^danm \d+\.\d+\.\d+ \(commit [0-9a-z]+, \.NET 10\.[0-9.]+, linux-(x64|arm64)\)\n$");
        error.Should().BeEmpty();
    }

    [Test]
    public void Without_arguments_shows_a_short_usage_as_an_error()
    {
        var (exitCode, output, error) = Run();

        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.Should().Contain("CNI_COMMAND").And.Contain("danm --help");
    }

    [TestCase("--help")]
    [TestCase("-help")]
    [TestCase("-h")]
    public void Help_lists_only_what_there_is(string flag)
    {
        var (exitCode, output, _) = Run(flag);

        exitCode.Should().Be(0);
        output.Should().Contain("completion").And.Contain("doctor").And.NotContainAny("fakeipam", "migrate");
    }

    [TestCase("--frobnicate")]
    [TestCase("completion")]
    [TestCase("completion", "tcsh")]
    public void A_wrong_usage_is_an_error_of_code_2(params string[] args)
    {
        var (exitCode, output, error) = Run(args);

        exitCode.Should().Be(2);
        output.Should().BeEmpty();
        error.Should().StartWith("error: ").And.EndWith("See 'danm --help'.\n");
    }

    [TestCase("controller")]
    [TestCase("webhook", "--self-signed")]
    public void A_mode_is_content_with_its_defaults(params string[] mode)
    {
        var (exitCode, _, error) = Run([.. mode, "--kubeconfig", "/nonexistent/kubeconfig"]);

        exitCode.Should().Be(1, "a wrong usage is 2");
        error.Should().Contain("/nonexistent/kubeconfig");
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("fish")]
    public void Every_completion_script_says_how_to_load_it(string shell)
    {
        var (exitCode, output, _) = Run("completion", shell);

        exitCode.Should().Be(0);
        output.Should().Contain($"danm completion {shell}").And.Contain("[suggest:");
    }

    [TestCase("/opt/cni/bin/danm", "danm")]
    [TestCase("danm", "danm")]
    [TestCase("/usr/local/bin/netwatcher", "netwatcher")]
    [TestCase("./svcwatcher", "svcwatcher")]
    [TestCase("webhook", "webhook")]
    [TestCase("/cni/fakeipam", "fakeipam")]
    [TestCase("kubectl-danm", "kubectl-danm")]
    [TestCase("danm-1.2", "danm-1.2")]
    public void The_name_decides_first(string argv0, string name) => ProgramName.Of([argv0, "x"]).Should().Be(name);

    private static (int ExitCode, string Output, string Error) Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = CommandLine.Run("danm", args, output, error);
        return (exitCode, output.ToString(), error.ToString());
    }
}
