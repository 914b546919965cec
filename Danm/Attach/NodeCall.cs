using System.Collections;
using Danm.Api;
using Danm.Attach.Delegation;
using Danm.Calls;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Kube;
using Danm.State;

namespace Danm.Attach;

/// <summary>A call to the metaplugin: besides what every call has, the plugins that it calls in turn.</summary>
/// <param name="request">The call.</param>
/// <param name="state">The node's state; null: where every node has it.</param>
internal sealed class NodeCall(CniRequest request, NodeState? state = null) : RuntimeCall(request, state)
{
    // Taken at once: the way to the API server changes the process's own (TrustStore), and plugins get what the runtime gave.
    private readonly IDictionary environment = Environment.GetEnvironmentVariables();

    public DelegateChain Chain => field ??= new(new PluginRunner(Request.Path, environment.Cast<DictionaryEntry>().ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? ""), Report));

    /// <summary>Takes back what journals of sandboxes name.</summary>
    public SandboxRelease Release(ApiClient? api) => new(ReleaseOfClaims(api), new SandboxInterfaces(this));

    /// <summary>Sandboxes that are found late have delegates too. Their namespaces are gone: they were deferred only because of that.</summary>
    public override ClaimRelease ReleaseOfClaims(ApiClient? api) =>
        new(api, Log, Request.Patience(), api is null ? null : (record, endpoints, cancellation) => ReleaseDelegatesAsync(api, record, endpoints, cancellation));

    private async Task ReleaseDelegatesAsync(ApiClient api, SandboxRecord record, IReadOnlyList<DanmEp> endpoints, CancellationToken cancellation)
    {
        var made = await new DelegateRecovery(this, new PodReader(api)).CompleteAsync(DanmEpSearch.ToRecord(endpoints, record), endpoints, cancellation).ConfigureAwait(false);
        await new SandboxInterfaces(this).RemoveAsync(made, netns: null, cancellation).ConfigureAwait(false);
    }

    private void Report(PluginRun run)
    {
        Log.Debug(
            "plugin ran", ("plugin", run.Plugin), ("call", run.Call.Command), ("interface", run.Call.IfName), ("exit", $"{run.ExitCode}"),
            ("took_ms", $"{run.Elapsed.TotalMilliseconds:0}"), ("cpu_us", $"{run.Cpu.TotalMicroseconds:0}"));
        if (run.Stderr.Length > 0)
            Log.Info("plugin wrote to stderr", ("plugin", run.Plugin), ("call", run.Call.Command), ("interface", run.Call.IfName), ("text", run.Stderr.Trim()));
    }
}
