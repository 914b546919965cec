using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Svcwatcher.Example;

/// <summary>
/// A Pod that runs: its sandbox, made by the network plugin, and in it the program that its container names, with the environment, the files and
/// the name server that the manifest gives it. Programs are the machine's own, not an image's.
/// </summary>
internal sealed class ExamplePod
{
    private readonly ExampleCluster cluster;
    private readonly JsonObject pod;
    private readonly Sandbox sandbox;
    private string process = "";

    private ExamplePod(ExampleCluster cluster, JsonObject pod, Sandbox sandbox) => (this.cluster, this.pod, this.sandbox) = (cluster, pod, sandbox);

    public string Name => sandbox.Name;

    public string NetnsName => sandbox.NetnsName;

    public string App => pod.At("metadata", "labels", "app").String() ?? Name;

    private string Namespace => pod.At("metadata", "namespace").String()!;

    private JsonObject Container => (JsonObject)pod.At("spec", "containers")![0]!;

    private string Folder => $"/run/pods/{NetnsName}";

    private bool IsNameServer => Container["image"].String()!.Contains("coredns", StringComparison.Ordinal);

    /// <summary>Everything from the object to the kubelet's word that it is ready.</summary>
    public static async Task<ExamplePod> StartAsync(ExampleCluster cluster, JsonObject pod)
    {
        pod["spec"]!["nodeName"] = "node-1";
        var made = await cluster.ApplyAsync(pod);
        var sandbox = new Sandbox(cluster.Node, made.At("metadata", "namespace").String()!, made.At("metadata", "name").String()!, made.At("metadata", "uid").String()!);
        await cluster.Node.ShellAsync($"ip netns add {sandbox.NetnsName}");
        var started = new ExamplePod(cluster, made, sandbox);
        (await cluster.CallAsync(sandbox, "ADD")).Succeeded();
        await started.WriteFilesAsync();
        if (started.IsNameServer)
            await cluster.ServeNamesAsync(cluster.Node.NetworkPathOf(sandbox), IPAddress.Parse(await started.AddressAsync("ext1")));
        else
            await started.RunProgramAsync();
        await Netwatcher.Eventually.HoldsAsync(async () => (await started.IsReadyAsync()).Should().BeTrue(await started.LogAsync()), seconds: 30);
        started.Say(ready: true);
        return started;
    }

    /// <summary>The global addresses of an interface as the kernel has them, without their lengths.</summary>
    public async Task<string[]> AddressesAsync(string interfaceName) =>
        (await sandbox.RunAsync($"ip -o address show dev {interfaceName} scope global")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3].Split('/')[0]).Order(StringComparer.Ordinal).ToArray();

    public async Task<string> AddressAsync(string interfaceName) => (await AddressesAsync(interfaceName)).Single(a => !a.Contains(':', StringComparison.Ordinal));

    public async Task<string[]> InterfacesAsync() =>
        [.. (await sandbox.RunAsync("ip -o link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(": ")[1].Split('@')[0]).Where(l => l != "lo")];

    /// <summary>A command in the container, as <c>kubectl exec</c> would run it: what it says, errors included, and its exit code.</summary>
    public async Task<(int Code, string Text)> ExecAsync(string command)
    {
        var text = await cluster.Node.ShellAsync($"ip netns exec {NetnsName} bash -e <<'SCRIPT'\n{AsContainer()}{{ {command}; }} 2>&1 || echo \"code=$?\"\nSCRIPT");
        var at = text.LastIndexOf("code=", StringComparison.Ordinal);
        return at < 0 ? (0, text) : (int.Parse(text[(at + 5)..].Trim(), CultureInfo.InvariantCulture), text[..at]);
    }

    /// <summary>What a kubelet writes of its condition.</summary>
    public void Say(bool ready)
    {
        var present = cluster.Node.Server.Store.Get("v1", "Pod", Namespace, Name)!;
        present["status"] = new JsonObject
        {
            ["phase"] = "Running",
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = ready ? "True" : "False", ["lastTransitionTime"] = "2026-01-02T03:04:05Z" }),
        };
        cluster.Node.Server.Store.Update(present);
    }

    /// <summary>Deleted: the program ends, the plugin takes the sandbox down, and the object goes.</summary>
    public async Task StopAsync()
    {
        if (process.Length > 0)
            await cluster.Node.ShellAsync($"kill {process}");
        (await cluster.CallAsync(sandbox, "DEL")).Succeeded();
        await sandbox.DeleteNamespaceAsync();
        cluster.Node.Server.Store.Delete("v1", "Pod", Namespace, Name);
    }

    private async Task WriteFilesAsync()
    {
        var script = new StringBuilder($"mkdir -p {Folder}\ncat >{Folder}/resolv.conf <<'FILE'\n{ExampleCluster.ResolvConf(pod)}FILE\necho 'hosts: files dns' >{Folder}/nsswitch.conf\n");
        foreach (var (mount, map) in Mounts())
        {
            script.Append($"mkdir -p {Folder}{mount}\n");
            foreach (var (name, text) in (JsonObject)cluster.Node.Server.Store.Get("v1", "ConfigMap", Namespace, map)!["data"]!)
                script.Append($"cat >{Folder}{mount}/{name} <<'FILE'\n{text.String()}FILE\n");
        }

        await cluster.Node.ShellAsync(script.ToString());
    }

    private async Task RunProgramAsync()
    {
        var environment = (Container["env"] as JsonArray ?? []).Select(v => $"{v.At("name").String()}={v.At("value").String() ?? pod.At(v.At("valueFrom", "fieldRef", "fieldPath").String()!.Split('.')).String()}");
        var command = Container["command"].Strings().Concat(Container["args"].Strings());
        process = (await cluster.Node.ShellAsync($"""
            cat >{Folder}/run <<'SCRIPT'
            {AsContainer()}exec env {string.Join(' ', environment)} {string.Join(' ', command)}
            SCRIPT
            ip netns exec {NetnsName} bash -e {Folder}/run >{Folder}/log 2>&1 </dev/null &
            echo $!
            """)).Trim();
    }

    /// <summary>The beginning of a script in the Pod's network: its own files over the machine's.</summary>
    private string AsContainer()
    {
        var text = new StringBuilder($"mount --bind {Folder}/resolv.conf \"$(readlink -f /etc/resolv.conf)\"\nmount --bind {Folder}/nsswitch.conf /etc/nsswitch.conf\n");
        // A folder that the machine lacks is made in an empty one over its parent.
        foreach (var (mount, _) in Mounts())
            text.Append($"mount -t tmpfs tmpfs {Path.GetDirectoryName(mount)}\nmkdir {mount}\nmount --bind {Folder}{mount} {mount}\n");
        return text.ToString();
    }

    private IEnumerable<(string Path, string ConfigMap)> Mounts() =>
        from mount in Container["volumeMounts"] as JsonArray ?? []
        from volume in (JsonArray)pod.At("spec", "volumes")!
        where !IsNameServer && volume.At("name").String() == mount.At("name").String()
        select (mount.At("mountPath").String()!, volume.At("configMap", "name").String()!);

    /// <summary>The readiness probe, sent by the node to the Pod's first address.</summary>
    private async Task<bool> IsReadyAsync()
    {
        if (Container.At("readinessProbe", "httpGet") is not { } probe)
            return true;
        var answer = await cluster.Node.ShellAsync($"curl -s -o /dev/null -m 2 -w '%{{http_code}}' http://{await AddressAsync("eth0")}:{probe["port"]}{probe["path"].String()} || true");
        return answer.StartsWith('2') || answer.StartsWith('3');
    }

    private Task<string> LogAsync() => cluster.Node.ShellAsync($"cat {Folder}/log 2>/dev/null || true");
}
