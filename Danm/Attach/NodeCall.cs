using System.Collections;
using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Kube;
using Danm.State;
using k8s;

namespace Danm.Attach;

/// <summary>One call of the runtime, with what its steps share: the node's state, its log, its plugins, the way to the API server.</summary>
/// <param name="request">The call.</param>
/// <param name="state">The node's state; null: where every node has it.</param>
internal sealed class NodeCall(CniRequest request, NodeState? state = null)
{
    // Taken at once: the way to the API server changes the process's own (TrustStore), and plugins get what the runtime gave.
    private readonly IDictionary environment = Environment.GetEnvironmentVariables();

    public CniRequest Request { get; } = request;

    public NodeState State { get; } = state ?? new NodeState();

    public AttachLog Log { get; } = new(request);

    public DelegateChain Chain => field ??= new(new PluginRunner(Request.Path, environment.Cast<DictionaryEntry>().ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? ""), Report));

    /// <summary>Takes back what journals name.</summary>
    public SandboxRelease Release(ApiClient? api) => new(api, new SandboxInterfaces(this), Log, Request.Patience());

    /// <exception cref="KubeConfigException">It cannot be read.</exception>
    /// <exception cref="CniException">Code 7: the configuration names none.</exception>
    public KubernetesClientConfiguration LoadKubeConfig() => Request.Config.Kubeconfig is { Length: > 0 } path
        ? KubeConfig.Load(path)
        : throw new CniException(CniErrorCode.InvalidNetworkConfig, "the CNI config has no \"kubeconfig\": name the file that danm reaches the API server with", "kubeconfig");

    /// <inheritdoc cref="LoadKubeConfig"/>
    public ApiClient Connect() => new(LoadKubeConfig(), Request.Patience());

    /// <summary>The API server; null, and a line in the log, if there is no way to it.</summary>
    public ApiClient? TryConnect()
    {
        try
        {
            return Connect();
        }
        catch (Exception e) when (e is KubeConfigException or CniException)
        {
            Log.Warning("no way to the API server", ("cause", e.Message));
            return null;
        }
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
