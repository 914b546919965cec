using Danm.Kube;
using Danm.Kube.Elections;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.Kube.Elections;

/// <summary>One of several machines that stand for a lease: a connection and a clock of its own. Its work is to say that it leads.</summary>
internal sealed class Candidate : IAsyncDisposable
{
    private readonly ApiClient api;
    private readonly LeaderElector elector;
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    public Candidate(EmbeddedApiServer server, string name, LeaderElectorOptions options, TimeProvider clock, Minutes minutes)
    {
        Name = name;
        server.Tokens[$"token-{name}"] = name;
        api = TestClient.Connect(server.Kubeconfig(new KubeconfigOptions { Token = $"token-{name}" }));
        elector = new LeaderElector(api, options with { Identity = name }, Log, clock);
        running = elector.RunAsync(async leading =>
        {
            minutes.Starts(name);
            await Task.Delay(Timeout.Infinite, leading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            minutes.Ends(name);
        }, stop.Token);
    }

    public string Name { get; }

    public ListLogger Log { get; } = new();

    public bool IsLeader => elector.IsLeader;

    /// <summary>As SIGTERM would.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        api.Dispose();
        stop.Dispose();
    }
}

/// <summary>What all machines write down together: who began to lead and who ended, in the order of the real time.</summary>
internal sealed class Minutes
{
    private readonly List<string> lines = [];
    private readonly HashSet<string> leading = [];
    private bool together;

    public string[] Lines
    {
        get
        {
            lock (lines)
                return [.. lines];
        }
    }

    /// <summary>Two led at once.</summary>
    public bool HadTwo
    {
        get
        {
            lock (lines)
                return together;
        }
    }

    public string? Leader
    {
        get
        {
            lock (lines)
                return leading.SingleOrDefault();
        }
    }

    public void Starts(string name)
    {
        lock (lines)
        {
            lines.Add($"{name} starts");
            leading.Add(name);
            together |= leading.Count > 1;
        }
    }

    public void Ends(string name)
    {
        lock (lines)
        {
            lines.Add($"{name} ends");
            leading.Remove(name);
        }
    }
}
