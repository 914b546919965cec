using System.Text.Json.Nodes;
using Danm.Tests.EndToEnd.Runtime.Cri;
using Grpc.Core;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>
/// containerd and runc on a node of their own, with Danm as their network plugin, driven as kubelet does it: over the Container Runtime
/// Interface. Root, state, processes and control groups end with it.
/// </summary>
internal sealed class ContainerRuntime : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CriChannel channel;
    private readonly ControlGroup group = new($"danm-{Guid.NewGuid():N}");

    private ContainerRuntime(HostNode node)
    {
        Node = node;
        channel = new CriChannel(Socket);
    }

    public HostNode Node { get; }

    /// <summary>What a test asks that is not here.</summary>
    public CriChannel Channel => channel;

    /// <summary>What sandboxes name as the parent of their control group.</summary>
    public string CgroupParent => $"/{group.Name}";

    private string Socket => Node.PathOf("containerd.sock");

    private string Log => Node.PathOf("containerd.log");

    /// <summary>Starts a node, and containerd on it; returns when it can start sandboxes.</summary>
    public static async Task<ContainerRuntime> StartAsync()
    {
        RuntimeRequirements.Require();
        var runtime = new ContainerRuntime(await HostNode.StartAsync(ownProcesses: true));
        try
        {
            await runtime.ConfigureAsync();
            await runtime.RestartAsync();
            await runtime.ImportAsync(await PauseImage.WriteAsync(runtime.Node.PathOf("image")), PauseImage.Name);
            return runtime;
        }
        catch
        {
            await runtime.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts containerd again, with what the one before left; returns when it serves.</summary>
    public async Task RestartAsync()
    {
        // In the environment of a service: plugins inherit it.
        await Node.ShellAsync($"""
            setsid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
              bash -c 'echo $$ >/run/containerd/pid; exec containerd --config /run/containerd/config.toml' >>{Log} 2>&1 </dev/null &
            """);
        await UntilAsync("containerd and its network are ready", async () =>
        {
            var conditions = (await channel.Runtime.StatusAsync(new StatusRequest())).Status.Conditions;
            return conditions.Count > 0 && conditions.All(c => c.Status);
        });
    }

    /// <summary>Ends containerd by SIGKILL. Sandboxes and the plugins that it called go on, but for Danm if it is to be killed too.</summary>
    public Task KillAsync(bool withPlugins) => Node.ShellAsync($"""
        daemon=$(cat /run/containerd/pid)
        kill -KILL $daemon
        if {(withPlugins ? "true" : "false")}; then
          for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" != "$(realpath {DanmBinary.Path})" ] || kill -KILL $(basename $p); done
        fi
        while grep -q 'State:.[^Z]' /proc/$daemon/status 2>/dev/null; do sleep 0.01; done
        """);

    /// <summary>Ends all that runs on the node, and takes away what a boot does not bring back: namespaces, interfaces, the folders of /run.</summary>
    public Task LosePowerAsync() => Node.ShellAsync("""
        all=$(cd /proc; ls -d [0-9]* | grep -vwE "1|$$")
        kill -KILL $all 2>/dev/null
        for p in $all; do while grep -q 'State:.[^Z]' /proc/$p/status 2>/dev/null; do sleep 0.01; done; done
        for n in /run/netns/*; do umount $n; rm $n; done
        grep -o '/run/containerd/state/[^ ]*' /proc/self/mounts | xargs -r umount -l
        rm -rf /run/containerd/state /run/containerd/s /run/leases
        ip link delete br0
        """);

    /// <summary>Starts a sandbox for a Pod of the API.</summary>
    /// <param name="pod">The Pod.</param>
    /// <param name="attempt">How many sandboxes it had before.</param>
    /// <param name="ports">Its ports on the host.</param>
    /// <returns>The sandbox's id.</returns>
    /// <exception cref="RpcException">containerd's error.</exception>
    public async Task<string> RunAsync(JsonObject pod, uint attempt = 0, params PortMapping[] ports)
    {
        var metadata = pod["metadata"]!;
        var config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata
            {
                Name = (string)metadata["name"]!,
                Namespace = (string)metadata["namespace"]!,
                Uid = (string)metadata["uid"]!,
                Attempt = attempt,
            },
            Hostname = (string)metadata["name"]!,
            PortMappings = { ports },
            Linux = new LinuxPodSandboxConfig { CgroupParent = CgroupParent },
        };
        return (await channel.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = config })).PodSandboxId;
    }

    public async Task StopAsync(string id) => await channel.Runtime.StopPodSandboxAsync(new StopPodSandboxRequest { PodSandboxId = id });

    public async Task RemoveAsync(string id) => await channel.Runtime.RemovePodSandboxAsync(new RemovePodSandboxRequest { PodSandboxId = id });

    public async Task<IReadOnlyList<PodSandbox>> ListAsync() => (await channel.Runtime.ListPodSandboxAsync(new ListPodSandboxRequest())).Items;

    public async Task<PodSandboxStatus> StatusAsync(string id) =>
        (await channel.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = id })).Status;

    /// <summary>Stops and removes every sandbox that containerd knows, as kubelet does with those of Pods that are gone.</summary>
    public async Task RemoveAllAsync()
    {
        await Task.WhenAll((await ListAsync()).Select(async sandbox =>
        {
            await StopAsync(sandbox.Id);
            await RemoveAsync(sandbox.Id);
        }));
    }

    /// <summary>Runs a command in the network namespace of a sandbox.</summary>
    public async Task<string> InSandboxAsync(string id, string command)
    {
        var answer = await channel.Runtime.PodSandboxStatusAsync(new PodSandboxStatusRequest { PodSandboxId = id, Verbose = true });
        var namespaces = JsonNode.Parse(answer.Info["info"])!["runtimeSpec"]!["linux"]!["namespaces"]!.AsArray();
        var path = (string)namespaces.Single(n => (string?)n!["type"] == "network")!["path"]!;
        return await Node.ShellAsync($"nsenter --net={path} {command}");
    }

    /// <summary>Imports an image as an administrator does on a node; gives what the runtime says of it.</summary>
    public async Task<Cri.Image> ImportAsync(string archive, string name)
    {
        await Node.ShellAsync($"ctr --address {Socket} --namespace k8s.io images import {archive}");
        Cri.Image? image = null;
        await UntilAsync($"the image {name} is known", async () =>
            (image = (await channel.Images.ImageStatusAsync(new ImageStatusRequest { Image = new ImageSpec { Image = name } })).Image) is not null);
        return image!;
    }

    /// <summary>What containerd and the plugin have to say to a failed test.</summary>
    public Task<string> ComplaintsAsync() => Node.ShellAsync($"grep -E 'level=(error|fatal)' {Log}; cat /var/log/danm.log 2>/dev/null; true");

    public async ValueTask DisposeAsync()
    {
        channel.Dispose();
        await Node.DisposeAsync();
        await UntilAsync("the control groups are gone", () => Task.FromResult(group.TryDelete()));
    }

    private Task ConfigureAsync() => Node.ShellAsync($$"""
        mkdir -p /run/containerd /run/cni/bin /run/cni/net.d
        # This containerd knows one folder of plugins.
        ln -s /usr/lib/cni/* {{DanmBinary.PluginFolder}}/* /run/cni/bin/
        cat >/run/cni/net.d/10-danm.conflist <<'LIST'
        {"cniVersion": "1.0.0", "cniVersions": ["1.0.0", "1.1.0"], "name": "danm_meta_cni", "plugins": [
          {"type": "danm", "kubeconfig": "{{Node.Kubeconfig}}", "cniDir": "/run/cni/danm.d", "capabilities": {"portMappings": true} }
        ]}
        LIST
        # Where root may not lower a score, as in a container, no sandbox's may be lower than containerd's own.
        cat >/run/containerd/config.toml <<'CONFIG'
        version = 2
        root = "/run/containerd/root"
        state = "/run/containerd/state"
        [grpc]
          address = "{{Socket}}"
        [plugins."io.containerd.internal.v1.opt"]
          path = "/run/containerd/opt"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "{{PauseImage.Name}}"
          restrict_oom_score_adj = true
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/run/cni/bin"
            conf_dir = "/run/cni/net.d"
        CONFIG
        """);

    private static async Task UntilAsync(string what, Func<Task<bool>> condition)
    {
        var end = DateTime.UtcNow + Patience;
        while (DateTime.UtcNow < end)
        {
            try
            {
                if (await condition())
                    return;
            }
            catch (RpcException)
            {
                // It does not listen yet, or answers that it is not ready to answer.
            }

            await Task.Delay(20);
        }

        throw new TimeoutException($"{what}: not within {Patience.TotalSeconds:0} s");
    }
}
