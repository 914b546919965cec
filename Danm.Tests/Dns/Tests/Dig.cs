using System.Diagnostics;
using System.Globalization;
using System.Net;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Dns.Tests;

/// <summary>BIND's <c>dig</c>, a client that somebody else wrote.</summary>
public static class Dig
{
    /// <summary>What it prints, a line each. Without dig a failure where CI is set, else the test is ignored.</summary>
    public static async Task<string[]> AskAsync(IPEndPoint server, params string[] arguments)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Combine(p, "dig")).FirstOrDefault(File.Exists);
        if (found is null)
            DanmBinary.Lacks("dig is not on the PATH: ./build.sh installs it (bind9-dnsutils)");
        string[] all = [$"@{server.Address}", "-p", server.Port.ToString(CultureInfo.InvariantCulture), "-r", "+timeout=5", "+tries=1", .. arguments];
        using var process = Process.Start(new ProcessStartInfo(found!, all) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, "dig {0} says {1}", string.Join(' ', arguments), output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
