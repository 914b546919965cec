using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.ApiServer.Tests;

/// <summary>The kubectl of the machine, with a home of its own, so that it caches nothing between servers.</summary>
public sealed class Kubectl : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("danm-kubectl-").FullName;
    private readonly string program;

    private Kubectl(string program, string kubeconfig)
    {
        this.program = program;
        File.WriteAllText(Path.Combine(home, "config"), kubeconfig);
    }

    /// <summary>Its minor version: 20 is Debian's.</summary>
    public int Minor { get; private set; }

    /// <summary>A folder that it looks for plugins in first.</summary>
    public string? PluginFolder { get; set; }

    /// <summary>Without kubectl a failure where CI is set, else the test is ignored.</summary>
    public static async Task<Kubectl> FindAsync(string kubeconfig)
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(p => Path.Combine(p, "kubectl")).FirstOrDefault(File.Exists);
        if (found is null)
            DanmBinary.Lacks("kubectl is not on the PATH: ./build.sh installs it (kubernetes-client)");
        var kubectl = new Kubectl(found!, kubeconfig);
        var (_, version, _) = await kubectl.RunAsync("version", "--client", "-o", "json");
        kubectl.Minor = int.Parse(new string([.. JsonNode.Parse(version).At("clientVersion", "minor").String()!.TakeWhile(char.IsAsciiDigit)]));
        return kubectl;
    }

    /// <summary>
    /// Skips the test where kubectl is older: Debian 12 has no package of a newer one than 1.20, which has neither components nor OpenAPI v3. The target
    /// Kubernetes runs these tests with a new one on any machine.
    /// </summary>
    public void Needs(int minor)
    {
        if (Minor < minor)
            Assert.Ignore($"kubectl 1.{Minor} cannot, 1.{minor} can");
    }

    public async Task<(int Code, string Out, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = home,
            Environment = { ["HOME"] = home, ["KUBECONFIG"] = Path.Combine(home, "config"), ["KUBECTL_EXPLAIN_OPENAPIV3"] = "true" },
        };
        if (PluginFolder is not null)
            start.Environment["PATH"] = $"{PluginFolder}:{start.Environment["PATH"]}";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The output of a run that must succeed.</summary>
    public async Task<string> OutputAsync(params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);
        code.Should().Be(0, "kubectl {0} says {1}{2}", string.Join(' ', arguments), output, error);
        return output + error;
    }

    public string Write(string name, string text)
    {
        File.WriteAllText(Path.Combine(home, name), text);
        return name;
    }

    public void Dispose() => Directory.Delete(home, recursive: true);
}
