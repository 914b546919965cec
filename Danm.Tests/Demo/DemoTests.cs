using System.Diagnostics;
using Danm.Tests.EndToEnd;
using Danm.Tests.Kernel;

namespace Danm.Tests.Demo;

/// <summary>The demo as the README's command runs it, but for a terminal.</summary>
[TestFixture, Parallelizable]
public sealed class DemoTests
{
    [Test]
    public async Task Passes_on_80_columns_without_a_broken_line()
    {
        DanmBinary.Require();
        Guest.Require();

        var (exitCode, output) = await RunAsync(DanmBinary.Path);

        exitCode.Should().Be(0, output);
        output.Should().NotContain("\u001b", "colours are for terminals").And.Contain("The demo passed");
        var lines = output.Split('\n');
        lines.Should().OnlyContain(l => l.Length <= 80);
        // What would not fit in its table's column would be spread over two lines.
        lines.Should().Contain(l => l.Contains(" fd00:99::/64 via fd00:10::1 "));
        lines.Should().Contain(l => l.Contains("""[{"network": "management", "ip": "dynamic", "ip6": "dynamic"},"""));
        lines.Where(l => l.StartsWith("│ fd00-0010-", StringComparison.Ordinal)).Should().HaveCount(2).And.OnlyContain(l => l.Contains(".untagged.parent0 "));
        Array.FindIndex(lines, l => l.StartsWith("│ eth0 ", StringComparison.Ordinal)).Should()
            .BeLessThan(Array.FindIndex(lines, l => l.StartsWith("│ radio1 ", StringComparison.Ordinal)));
        lines.Should().Contain(l => l.Contains("ipvlan l2 on radio.500, mtu 1500"));
    }

    [Test]
    public async Task Names_the_step_that_failed_and_says_so_to_its_caller()
    {
        Guest.Require();
        var (exitCode, output) = await RunAsync("/bin/false");
        exitCode.Should().Be(1, output);
        output.Should().Contain("The demo failed at: danm ADD for 2 Pods at once").And.NotContain("passed");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string binary)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Danm.Tests.dll"), "demo"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DANM_BINARY"] = binary;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await error);
    }
}
