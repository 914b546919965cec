using System.Diagnostics;
using System.Text.Json;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

/// <summary>A network namespace of one test, with <c>ip</c> as the second opinion on what is in it.</summary>
internal sealed class TemporaryNamespace : IDisposable
{
    private static int s_count;

    public TemporaryNamespace()
    {
        Name = $"danm-t{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}";
        Run("ip", "netns", "add", Name);
        Namespace = NetworkNamespace.Open($"/run/netns/{Name}");
    }

    public string Name { get; }

    public NetworkNamespace Namespace { get; }

    public RouteSocket OpenRoute() => Namespace.Visit(VisitSockets.Route).Route;

    /// <summary>Runs <c>ip -n NAME …</c>.</summary>
    public string Ip(string arguments) => Run("ip", ["-n", Name, .. arguments.Split(' ')]);

    /// <summary>What <c>ip -n NAME -d -j …</c> prints: a list of objects.</summary>
    public JsonElement[] IpJson(string arguments) => Parse(Ip("-d -j " + arguments));

    public JsonElement[] BridgeJson(string arguments) => Parse(Run("bridge", ["-n", Name, "-j", .. arguments.Split(' ')]));

    public string Exec(params string[] command) => Run("ip", ["netns", "exec", Name, .. command]);

    public void Dispose()
    {
        Namespace.Dispose();
        Run("ip", "netns", "delete", Name);
    }

    private static JsonElement[] Parse(string json) => json.Length == 0 ? [] : JsonSerializer.Deserialize(json, JsonLists.Default.JsonElementArray)!;

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output.Trim()
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Result}");
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement[]))]
internal sealed partial class JsonLists : System.Text.Json.Serialization.JsonSerializerContext;
