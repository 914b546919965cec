using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;
using Danm.Tests.EndToEnd.Runtime;
using Danm.Tests.EndToEnd.Runtime.Cri;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>Runs Pods of one node under its runtime, with the account's token, the mounts and the rights that their manifests say.</summary>
internal sealed class Kubelet(ContainerRuntime runtime, string node, (string Host, int Port) service)
{
    private readonly Dictionary<string, (PodTemplate Template, string Sandbox, string Container, string Log)> running = [];

    /// <summary>Starts a Pod that is in the API.</summary>
    public async Task StartAsync(JsonObject pod)
    {
        var (name, ns, uid) = (pod.At("metadata", "name").String()!, pod.At("metadata", "namespace").String()!, pod.At("metadata", "uid").String()!);
        var template = new PodTemplate(pod, (kind, wanted) => runtime.Node.Server.Store.Get("v1", kind, ns, wanted));
        var folder = Directory.CreateDirectory(runtime.Node.PathOf(uid)).FullName;
        foreach (var path in template.HostFolders)
            await runtime.Node.ShellAsync($"mkdir -p {path}");
        var account = template.WantsToken ? await MountAccountAsync(template.Account!, ns, name, uid, folder) : null;
        var sandboxConfig = template.Sandbox(runtime.CgroupParent, folder);
        var sandbox = (await runtime.Channel.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = sandboxConfig })).PodSandboxId;
        var container = (await runtime.Channel.Runtime.CreateContainerAsync(new CreateContainerRequest
        {
            PodSandboxId = sandbox,
            SandboxConfig = sandboxConfig,
            Config = template.ToContainer(account, service),
        })).ContainerId;
        await runtime.Channel.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container });
        running[name] = (template, sandbox, container, Path.Combine(folder, "log"));
    }

    /// <summary>Waits until the Pod's readiness probe is answered well.</summary>
    public async Task UntilReadyAsync(string name, double seconds = 30)
    {
        var (template, sandbox, _, log) = running[name];
        var address = template.IsInHostNetwork ? "127.0.0.1" : (await runtime.StatusAsync(sandbox)).Network.Ip;
        await runtime.Node.EventuallyAsync(
            $"curl -s -m 2 -w '%{{http_code}}' {template.ProbeUrl("readinessProbe", address)}",
            text => text.Should().EndWith("200", "{0} becomes ready; it says {1}", name, File.Exists(log) ? File.ReadAllText(log) : "nothing"), seconds);
    }

    /// <summary>What a Pod tells Prometheus on a port of that name.</summary>
    public async Task<string> MetricsAsync(string name, string port)
    {
        var (template, sandbox, _, _) = running[name];
        return await runtime.Node.ShellAsync($"curl -sS -f -m 5 {template.UrlOf(port, template.IsInHostNetwork ? "127.0.0.1" : (await runtime.StatusAsync(sandbox)).Network.Ip)}/metrics");
    }

    /// <summary>Ends a Pod as one that was deleted.</summary>
    public async Task StopAsync(string name)
    {
        running.Remove(name, out var pod).Should().BeTrue();
        await runtime.Channel.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = pod.Container, Timeout = 30 });
        var status = (await runtime.Channel.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = pod.Container })).Status;
        status.ExitCode.Should().Be(0, "{0} ends when it is told to: {1}", name, await File.ReadAllTextAsync(pod.Log));
        await runtime.StopAsync(pod.Sandbox);
        await runtime.RemoveAsync(pod.Sandbox);
    }

    private async Task<string> MountAccountAsync(string account, string ns, string pod, string uid, string folder)
    {
        var url = $"/api/v1/namespaces/{ns}/serviceaccounts/{account}/token";
        var request = new JsonObject
        {
            ["apiVersion"] = "authentication.k8s.io/v1",
            ["kind"] = "TokenRequest",
            ["spec"] = new JsonObject { ["expirationSeconds"] = 3607, ["boundObjectRef"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["name"] = pod, ["uid"] = uid } },
        };
        var text = await runtime.Node.ShellAsync($"""
            curl -s -k -H 'Authorization: Bearer {runtime.Node.Server.AdminToken}' -H 'Content-Type: application/json' https://127.0.0.1:{service.Port}{url} -d '{request.ToJsonString()}'
            """);
        var token = JsonNode.Parse(text).At("status", "token").String();
        token.Should().NotBeNull("{0}", text);
        var files = Directory.CreateDirectory(Path.Combine(folder, "account")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "token"), token);
        await File.WriteAllTextAsync(Path.Combine(files, "ca.crt"), runtime.Node.Server.CertificateAuthority.Pem);
        await File.WriteAllTextAsync(Path.Combine(files, "namespace"), ns);
        return files;
    }

    /// <summary>The node that its Pods are of.</summary>
    public string NodeName => node;
}
