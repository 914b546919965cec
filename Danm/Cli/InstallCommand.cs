using System.CommandLine;
using System.Text;
using Danm.Install;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary><c>danm install</c>: the entry point of the DaemonSet that puts Danm on nodes.</summary>
internal static class InstallCommand
{
    public const string Name = "install";

    private const string ServiceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    public static Command Create()
    {
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "The kubeconfig of the installer itself; else the Pod's own service account.", HelpName = "FILE" };
        var node = new Option<string?>("--node-name") { Description = "This node's name in Kubernetes; else the environment's NODE_NAME.", HelpName = "NAME" };
        var folders = new HostFolders();
        var hostConfDir = new Option<string>("--host-cni-conf-dir") { Description = "The folder of CNI configurations as the host sees it.", DefaultValueFactory = _ => "/etc/cni/net.d", HelpName = "FOLDER" };
        var cniDir = FromEnvironment("--cni-dir", "DANM_CNI_DIR", "Where networks of other plugins have their files, as the host sees it; else the folder of CNI configurations.", "FOLDER");
        var naming = FromEnvironment("--naming-scheme", "DANM_NAMING_SCHEME", "legacy: interfaces are named exactly as their network's container_prefix.", "NAME");
        var flooding = FromEnvironment("--vxlan-flooding", "DANM_VXLAN_FLOODING", "multicast or unicast: how VxLANs reach other nodes; the same as netwatcher's.", "HOW");
        var defaultId = FromEnvironment("--default-network-id", "DANM_DEFAULT_CNI_NETWORK_ID", "The primary network's file without its ending; else the first that the runtime would take without Danm.", "NAME");
        var defaultType = FromEnvironment("--default-network-type", "DANM_DEFAULT_CNI_TYPE", "The primary network's (first) plugin, to be sure that it is the right one; else whatever its file says.", "TYPE");
        var defaultConfig = FromEnvironment("--default-network-config", "DANM_DEFAULT_CNI_CONFIG_DATA", "The primary network's configuration (JSON), written to a file of the name --default-network-id and the ending .conf where there is none of that name.", "JSON");
        var server = new Option<string?>("--server") { Description = "The API server's URL as the host reaches it; else as the installer does.", HelpName = "URL" };
        var once = new Option<bool>("--once") { Description = "Do it once and end; 1 if something is missing." };
        var mode = new ModeOptions();
        var command = new Command(Name, "Put Danm on this node and keep it there (runs as a DaemonSet).") { kubeconfig, node, hostConfDir, cniDir, naming, flooding, defaultId, defaultType, defaultConfig, server, once };
        folders.AddTo(command);
        mode.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var api = ModeConnection.Open(parsed.GetValue(kubeconfig));
            using var logs = mode.Log(parsed);
            using var signals = new Shutdown();
            var (url, authority) = Reach(parsed.GetValue(kubeconfig), parsed.GetValue(server));
            var options = new InstallOptions
            {
                NodeName = parsed.GetValue(node) ?? Environment.GetEnvironmentVariable("NODE_NAME") ?? throw new ArgumentException("the node's name is not known: set NODE_NAME to spec.nodeName in the Pod's manifest, or use --node-name"),
                BinDir = folders.BinDir(parsed),
                ConfDir = folders.ConfDir(parsed),
                HostConfDir = parsed.GetRequiredValue(hostConfDir).TrimEnd('/'),
                HostCniDir = parsed.GetValue(cniDir)?.TrimEnd('/'),
                NamingScheme = parsed.GetValue(naming),
                VxlanFlooding = parsed.GetValue(flooding),
                DefaultNetworkId = parsed.GetValue(defaultId),
                DefaultNetworkType = parsed.GetValue(defaultType),
                DefaultNetworkConfig = parsed.GetValue(defaultConfig),
                Server = url,
                CertificateAuthority = authority,
                Health = mode.Health(parsed),
                Metrics = mode.Metrics(parsed),
            };
            var installer = new Installer(api, options, "/proc/self/exe", logs.CreateLogger(Name), TimeProvider.System);
            await (parsed.GetValue(once) ? installer.RunOnceAsync(signals.Requested) : installer.RunAsync(ProgramVersion.Line, signals.Requested)).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    /// <summary>An option that the DaemonSet sets by its environment, from the original's ConfigMap danm-installer-config; empty counts as absent.</summary>
    private static Option<string?> FromEnvironment(string name, string variable, string description, string help) => new(name)
    {
        Description = $"{description} Else the environment's {variable}.", HelpName = help,
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null,
    };

    private static (string Url, Func<byte[]> Authority) Reach(string? kubeconfig, string? server)
    {
        if (kubeconfig is not null)
        {
            var configuration = KubeConfig.Load(kubeconfig);
            var authorities = string.Concat((configuration.SslCaCerts ?? []).Select(c => c.ExportCertificatePem() + "\n"));
            return (server ?? configuration.Host, () => Encoding.ASCII.GetBytes(authorities));
        }

        var authority = Path.Combine(ServiceAccountFolder, "ca.crt");
        var host = Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_HOST") ?? "";
        var address = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host;
        return (server ?? $"https://{address}:{Environment.GetEnvironmentVariable("KUBERNETES_SERVICE_PORT_HTTPS") ?? "443"}", () => File.Exists(authority) ? File.ReadAllBytes(authority) : []);
    }
}
