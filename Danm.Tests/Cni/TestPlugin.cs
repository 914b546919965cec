using System.Text;
using System.Text.Json;
using Danm.Cni;

namespace Danm.Tests.Cni;

/// <summary>A plugin that remembers what it was asked, and the frame around it fed from memory.</summary>
internal sealed class TestPlugin : ICniPlugin
{
    public CniRequest? Request { get; private set; }

    public Func<CancellationToken, Task<CniResult>> Answer { get; init; } = _ => Task.FromResult(new CniResult());

    public Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken) => Serve(request, cancellationToken);

    public Task Del(CniRequest request, CancellationToken cancellationToken) => Serve(request, cancellationToken);

    public Task Check(CniRequest request, CancellationToken cancellationToken) => Serve(request, cancellationToken);

    public Task Gc(CniRequest request, CancellationToken cancellationToken) => Serve(request, cancellationToken);

    public Task Status(CniRequest request, CancellationToken cancellationToken) => Serve(request, cancellationToken);

    public CniAnswer Run(IReadOnlyDictionary<string, string> environment, string config) => Run(environment, Encoding.UTF8.GetBytes(config));

    public CniAnswer Run(IReadOnlyDictionary<string, string> environment, byte[] config) => Run(environment, new MemoryStream(config));

    public CniAnswer Run(IReadOnlyDictionary<string, string> environment, Stream input)
    {
        using var output = new MemoryStream();
        using var log = new MemoryStream();
        var exitCode = CniMain.Run(() => this, environment.GetValueOrDefault, input, output, log);
        return new CniAnswer(exitCode, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(log.ToArray()));
    }

    public static Dictionary<string, string> Environment(string command, params (string Name, string? Value)[] changes)
    {
        var environment = new Dictionary<string, string>
        {
            ["CNI_COMMAND"] = command,
            ["CNI_CONTAINERID"] = "c0ffee",
            ["CNI_NETNS"] = "/run/netns/a",
            ["CNI_IFNAME"] = "eth0",
            ["CNI_PATH"] = "/opt/cni/bin",
        };
        foreach (var (name, value) in changes)
        {
            if (value is null)
                environment.Remove(name);
            else
                environment[name] = value;
        }

        return environment;
    }

    private Task<CniResult> Serve(CniRequest request, CancellationToken cancellationToken)
    {
        Request = request;
        return Answer(cancellationToken);
    }
}

/// <summary>What a runtime gets to see of a call.</summary>
internal sealed record CniAnswer(int ExitCode, string Output, string Log)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public int Code => Json.GetProperty("code").GetInt32();

    public string Msg => Json.GetProperty("msg").GetString()!;

    public string? Details => Json.TryGetProperty("details", out var details) ? details.GetString() : null;
}
