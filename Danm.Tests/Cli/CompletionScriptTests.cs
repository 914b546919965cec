using System.Diagnostics;
using Danm.Cli;

namespace Danm.Tests.Cli;

/// <summary>The completion scripts in the shells that they are for, asking the program as this test's build has it.</summary>
public sealed class CompletionScriptTests
{
    // What stands on the command line, and what it is completed to.
    private static readonly object[][] Lines =
    [
        ["danm com", "completion"],
        ["danm completion z", "zsh"],
        ["danm completion fi", "fish"],
        ["danm --ver", "--version"],
    ];

    private string folder = "";

    [OneTimeSetUp]
    public void MakeProgram()
    {
        folder = Directory.CreateTempSubdirectory("danm-shell-").FullName;
        var program = Path.Combine(folder, "danm");
        File.WriteAllText(program, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "danm.dll")}' \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        foreach (var shell in CompletionScript.Shells)
            File.WriteAllText(Path.Combine(folder, $"script.{shell}"), CompletionScript.For(shell));
        // The name under which zsh finds it by itself.
        File.Copy(Path.Combine(folder, "script.zsh"), Path.Combine(folder, "_danm"));
    }

    [OneTimeTearDown]
    public void RemoveProgram() => Directory.Delete(folder, recursive: true);

    [TestCaseSource(nameof(Lines))]
    public async Task Bash_completes(string line, string expected) => (await RunAsync("bash", "--norc", "-c", """
        source "$1/script.bash"
        COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=($2)
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _danm
        printf '%s\n' "${COMPREPLY[@]}"
        """, "bash", folder, line)).Should().Be(expected);

    [TestCaseSource(nameof(Lines))]
    public async Task Fish_completes(string line, string expected) =>
        (await RunAsync("fish", "--no-config", "-c", "source $argv[1]/script.fish; complete -C $argv[2]", folder, line)).Should().Be(expected);

    [TestCaseSource(nameof(Lines))]
    public async Task Zsh_completes(string line, string expected) =>
        (await ZshAsync(line, "compinit -u -D; source $folder/script.zsh")).Should().Be(line[..(line.LastIndexOf(' ') + 1)] + expected + " ");

    [Test]
    public async Task Zsh_finds_the_script_in_its_path() =>
        (await ZshAsync("danm completion z", "fpath=($folder $fpath); compinit -u -D")).Should().Be("danm completion zsh ");

    [TestCase("bash")]
    [TestCase("fish")]
    public async Task All_shells_are_offered_where_nothing_of_the_word_is_there(string shell)
    {
        var offered = shell == "bash"
            ? await RunAsync("bash", "--norc", "-c", """
                source "$1/script.bash"; COMP_LINE="danm completion " COMP_POINT=16 COMP_WORDS=(danm completion "") COMP_CWORD=2; _danm; printf '%s\n' "${COMPREPLY[@]}"
                """, "bash", folder)
            : await RunAsync("fish", "--no-config", "-c", "source $argv[1]/script.fish; complete -C 'danm completion '", folder);
        offered.Split('\n').Should().Contain(CompletionScript.Shells);
    }

    // Only a zsh with a terminal completes: it types the line into one, then a key that tells what the line has become.
    private Task<string> ZshAsync(string line, string setUp) => RunAsync("zsh", "-f", "-c", $$"""
        zmodload zsh/zpty
        zpty inner zsh -f -i
        zpty -w inner 'folder='${(q)1}'; autoload -Uz compinit; {{setUp}}; tell() { print -r -- "$BUFFER" >$folder/line; exit }; zle -N tell; bindkey "^X" tell; print RE''ADY'
        zpty -r -m inner seen '*READY*'
        zpty -w -n inner "$2"$'\t\x18'
        while zpty -r inner seen; do :; done
        cat $1/line && rm $1/line
        """, "zsh", folder, line);

    private async Task<string> RunAsync(string shell, params string[] arguments)
    {
        var path = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
        if (!path.Split(':').Any(p => File.Exists(Path.Combine(p, shell))))
        {
            var reason = $"{shell} is not installed: nobody tries its completion script";
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail(reason);
            await TestContext.Progress.WriteLineAsync($"SKIPPED {TestContext.CurrentContext.Test.FullName}: {reason}");
            Assert.Ignore(reason);
        }

        var start = new ProcessStartInfo(shell, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = path;
        start.Environment["HOME"] = folder;
        start.Environment["TERM"] = "dumb";
        // With this the program would take itself for a CNI plugin.
        start.Environment["CNI_COMMAND"] = "ADD";
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        (await error).Should().BeEmpty();
        return (await output).TrimEnd('\n').Replace("\r", "");
    }
}
