using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Runtime.Cri;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>
/// A Pod as kubelet asks a runtime for it. Every field of the Pod is either carried out or known to be nothing to a node; any other one is
/// refused, so that no manifest says what no test has seen.
/// </summary>
/// <param name="pod">The Pod.</param>
/// <param name="lookUp">Gives an object of the API by kind and name, of the Pod's namespace; null if there is none.</param>
internal sealed class PodTemplate(JsonObject pod, Func<string, string, JsonObject?> lookUp)
{
    private const string AccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    private static readonly string[] OfTheScheduler = ["nodeName", "nodeSelector", "tolerations", "affinity", "priorityClassName", "restartPolicy"];

    public JsonNode Spec => pod["spec"]!;

    public JsonNode Container => Spec["containers"]!.AsArray().Single()!;

    public bool IsInHostNetwork => Flag(Spec, "hostNetwork");

    public string? Account => Spec["serviceAccountName"].String();

    public bool WantsToken => Account is not null && Spec["automountServiceAccountToken"]?.GetValue<bool>() != false;

    /// <summary>Folders of the host that must be there first.</summary>
    public IEnumerable<string> HostFolders => Volumes.Select(v => v.Path);

    public PodSandboxConfig Sandbox(string cgroup, string logs) => new()
    {
        Metadata = new PodSandboxMetadata
        {
            Name = pod.At("metadata", "name").String()!,
            Namespace = pod.At("metadata", "namespace").String()!,
            Uid = pod.At("metadata", "uid").String()!,
        },
        LogDirectory = logs,
        Hostname = IsInHostNetwork ? "" : pod.At("metadata", "name").String()!,
        Linux = new LinuxPodSandboxConfig { CgroupParent = cgroup, SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = Namespaces } },
    };

    /// <param name="account">The host's folder of the account's token, if it gets one.</param>
    /// <param name="service">The address that Pods reach the API server at.</param>
    public ContainerConfig ToContainer(string? account, (string Host, int Port) service)
    {
        RefuseUnknown();
        var security = Container["securityContext"];
        if (Flag(Spec["securityContext"], "runAsNonRoot"))
            ((long)Spec["securityContext"]!["runAsUser"]!).Should().BePositive("the Pod must not run as root");
        var config = new ContainerConfig
        {
            Metadata = new ContainerMetadata { Name = Container["name"].String()! },
            Image = new ImageSpec { Image = Container["image"].String()! },
            Args = { Texts(Container["args"]) },
            Envs = { Environment(service).Where(e => e.Value is not null).Select(e => new KeyValue { Key = e.Key, Value = e.Value! }) },
            LogPath = "log",
            Linux = new LinuxContainerConfig
            {
                SecurityContext = new LinuxContainerSecurityContext
                {
                    Capabilities = new Capability { AddCapabilities = { Texts(security.At("capabilities", "add")) }, DropCapabilities = { Texts(security.At("capabilities", "drop")) } },
                    NamespaceOptions = Namespaces,
                    ReadonlyRootfs = Flag(security, "readOnlyRootFilesystem"),
                    NoNewPrivs = !(security?["allowPrivilegeEscalation"]?.GetValue<bool>() ?? true),
                    Seccomp = new SecurityProfile { ProfileType = Enum.Parse<SecurityProfile.Types.ProfileType>(Spec.At("securityContext", "seccompProfile", "type").String() ?? "Unconfined") },
                    RunAsUser = Id("runAsUser"),
                    RunAsGroup = Id("runAsGroup"),
                },
            },
        };
        config.Mounts.Add(Texts(Container["volumeMounts"], m => new Mount
        {
            ContainerPath = m["mountPath"].String()!,
            HostPath = Volumes.Single(v => v.Name == m["name"].String()).Path,
            Readonly = Flag(m, "readOnly"),
        }));
        if (account is not null)
            config.Mounts.Add(new Mount { ContainerPath = AccountFolder, HostPath = account, Readonly = true });
        return config;
    }

    /// <summary>Where a probe asks; the host as seen on the node.</summary>
    public string ProbeUrl(string probe, string podAddress)
    {
        var get = Container[probe]!["httpGet"]!;
        var port = get["port"]!.GetValueKind() == System.Text.Json.JsonValueKind.Number ? (int)get["port"]! : (int)Container["ports"]!.AsArray().Single(p => p!["name"].String() == get["port"].String())!["containerPort"]!;
        return $"http://{get["host"].String() ?? podAddress}:{port}{get["path"].String()}";
    }

    /// <summary>Where a port of that name is reached.</summary>
    public string UrlOf(string port, string address) => $"http://{address}:{Container["ports"]!.AsArray().Single(p => p!["name"].String() == port)!["containerPort"]}";

    private NamespaceOption Namespaces => new()
    {
        Network = IsInHostNetwork ? NamespaceMode.Node : NamespaceMode.Pod,
        Pid = Flag(Spec, "hostPID") ? NamespaceMode.Node : NamespaceMode.Container,
    };

    private IEnumerable<(string Name, string Path)> Volumes => Texts(Spec["volumes"], v => (v["name"].String()!, v["hostPath"]!["path"].String()!));

    private Dictionary<string, string?> Environment((string Host, int Port) service)
    {
        var variables = new Dictionary<string, string?>
        {
            ["KUBERNETES_SERVICE_HOST"] = service.Host,
            ["KUBERNETES_SERVICE_PORT"] = $"{service.Port}",
            ["KUBERNETES_SERVICE_PORT_HTTPS"] = $"{service.Port}",
        };
        foreach (var variable in Container["env"] as JsonArray ?? [])
        {
            variables[variable!["name"].String()!] = variable["value"].String() ?? (variable["valueFrom"]!.AsObject().Single() switch
            {
                { Key: "fieldRef", Value: var field } => pod.At(field!["fieldPath"].String()!.Split('.')).String(),
                { Key: "configMapKeyRef", Value: var map } => lookUp("ConfigMap", map!["name"].String()!)?.At("data", map["key"].String()!).String()
                    ?? (Flag(map, "optional") ? null : throw new NotSupportedException($"there is no ConfigMap {map["name"]}")),
                var other => throw new NotSupportedException(other.Key),
            });
        }

        return variables;
    }

    private Int64Value? Id(string name) => (Container.At("securityContext", name) ?? Spec.At("securityContext", name)) is { } id ? new Int64Value { Value = (long)id } : null;

    private void RefuseUnknown()
    {
        Only(Spec, [.. OfTheScheduler, "containers", "volumes", "serviceAccountName", "automountServiceAccountToken", "hostNetwork", "hostPID", "securityContext", "terminationGracePeriodSeconds"]);
        Only(Spec["securityContext"], "runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile");
        // Ports of a host's Pod only name; requests and limits are the scheduler's and the kernel's.
        Only(Container, "name", "image", "imagePullPolicy", "args", "env", "ports", "readinessProbe", "livenessProbe", "volumeMounts", "resources", "securityContext");
        Only(Container["securityContext"], "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities");
    }

    private static void Only(JsonNode? node, params string[] fields) =>
        ((node as JsonObject)?.Select(p => p.Key) ?? []).Except(fields).Should().BeEmpty("this kubelet carries out no others");

    private static bool Flag(JsonNode? node, string name) => node?[name]?.GetValue<bool>() ?? false;

    private static IEnumerable<string> Texts(JsonNode? list) => Texts(list, t => t.String()!);

    private static IEnumerable<T> Texts<T>(JsonNode? list, Func<JsonNode, T> select) => (list as JsonArray ?? []).Select(t => select(t!));
}
