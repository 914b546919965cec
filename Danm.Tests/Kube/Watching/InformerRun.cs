using System.Diagnostics;
using System.Text.Json.Serialization.Metadata;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;

namespace Danm.Tests.Kube.Watching;

/// <summary>A running informer, and what it has said.</summary>
internal sealed class InformerRun<T> : IAsyncDisposable
    where T : class, IApiObject
{
    private readonly ApiClient api;
    private readonly CancellationTokenSource stop = new();
    private readonly List<string> heard = [], failures = [];
    private readonly Task running;

    public InformerRun(string kubeconfig, ResourcePath path, JsonTypeInfo<T> type, InformerOptions? options = null)
    {
        api = TestClient.Connect(kubeconfig, TimeSpan.FromSeconds(3));
        Informer = new Informer<T>(api, path, type, options ?? new InformerOptions());
        Informer.Changed += change => Add(heard, change switch
        {
            (null, null) => "listed",
            (null, { } after) => $"+{after.Metadata.Name}",
            ({ } before, null) => $"-{before.Metadata.Name}",
            (_, { } after) => $"~{after.Metadata.Name}",
        });
        Informer.Failed += failure => Add(failures, failure);
        running = Informer.RunAsync(stop.Token);
    }

    public Informer<T> Informer { get; }

    /// <summary>Objects that came (+), changed (~) and went (-), and when a list was complete.</summary>
    public string[] Heard => Copy(heard);

    public string[] Failures => Copy(failures);

    public string[] Names => [.. Informer.Items.Select(i => i.Metadata.Name!).Order()];

    /// <summary>Waits until something holds; fails as the last look did.</summary>
    public static async Task UntilAsync(Action holds)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                holds();
                return;
            }
            catch (AssertionException) when (watch.Elapsed < TimeSpan.FromSeconds(20))
            {
                await Task.Delay(20);
            }
        }
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(5));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        api.Dispose();
        stop.Dispose();
    }

    private static void Add(List<string> to, string text)
    {
        lock (to)
            to.Add(text);
    }

    private static string[] Copy(List<string> from)
    {
        lock (from)
            return [.. from];
    }
}
