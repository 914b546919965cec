using Danm.Tests.EndToEnd.Runtime.Cri;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>
/// A sandbox in the node's network whose containers may do as little as one can: the root is read-only, no capability, no new privileges, the
/// runtime's seccomp profile, and the user that the image names.
/// </summary>
internal sealed class ConfinedSandbox
{
    private readonly CriChannel channel;
    private readonly PodSandboxConfig config;
    private readonly string image;
    private string id = "";
    private int containers;

    private ConfinedSandbox(ContainerRuntime runtime, string name, string image)
    {
        (channel, this.image) = (runtime.Channel, image);
        config = new PodSandboxConfig
        {
            Metadata = new PodSandboxMetadata { Name = name, Namespace = "default", Uid = $"{Guid.NewGuid()}" },
            LogDirectory = runtime.Node.PathOf($"logs-{name}"),
            Linux = new LinuxPodSandboxConfig
            {
                CgroupParent = runtime.CgroupParent,
                SecurityContext = new LinuxSandboxSecurityContext { NamespaceOptions = Namespaces, ReadonlyRootfs = true },
            },
        };
    }

    private static NamespaceOption Namespaces => new() { Network = NamespaceMode.Node, Pid = NamespaceMode.Container };

    public static async Task<ConfinedSandbox> StartAsync(ContainerRuntime runtime, string name, string image)
    {
        var sandbox = new ConfinedSandbox(runtime, name, image);
        Directory.CreateDirectory(sandbox.config.LogDirectory);
        sandbox.id = (await sandbox.channel.Runtime.RunPodSandboxAsync(new RunPodSandboxRequest { Config = sandbox.config })).PodSandboxId;
        return sandbox;
    }

    /// <summary>Starts a container.</summary>
    /// <param name="command">In place of the image's entrypoint, if not empty.</param>
    /// <param name="arguments">What comes after.</param>
    /// <param name="mounts">Folders of the host, read-only.</param>
    /// <returns>The container's id.</returns>
    public async Task<string> StartAsync(string command, IEnumerable<string> arguments, params Mount[] mounts)
    {
        var number = Interlocked.Increment(ref containers);
        var create = new CreateContainerRequest
        {
            PodSandboxId = id,
            SandboxConfig = config,
            Config = new ContainerConfig
            {
                Metadata = new ContainerMetadata { Name = $"c{number}" },
                Image = new ImageSpec { Image = image },
                Args = { arguments },
                Mounts = { mounts },
                LogPath = $"{number}.log",
                Linux = new LinuxContainerConfig
                {
                    SecurityContext = new LinuxContainerSecurityContext
                    {
                        Capabilities = new Capability { DropCapabilities = { "ALL" } },
                        NamespaceOptions = Namespaces,
                        ReadonlyRootfs = true,
                        NoNewPrivs = true,
                        Seccomp = new SecurityProfile { ProfileType = SecurityProfile.Types.ProfileType.RuntimeDefault },
                    },
                },
            },
        };
        if (command.Length > 0)
            create.Config.Command.Add(command);
        var container = (await channel.Runtime.CreateContainerAsync(create)).ContainerId;
        await channel.Runtime.StartContainerAsync(new StartContainerRequest { ContainerId = container });
        return container;
    }

    /// <summary>Runs a container to its end; gives the exit code and what it wrote.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string command, IEnumerable<string> arguments, params Mount[] mounts)
    {
        var container = await StartAsync(command, arguments, mounts);
        for (var end = DateTime.UtcNow.AddMinutes(1); DateTime.UtcNow < end; await Task.Delay(20))
        {
            var status = await StatusAsync(container);
            if (status.State == ContainerState.ContainerExited)
                return (status.ExitCode, await LastLogAsync(status));
        }

        throw new TimeoutException($"{command} {string.Join(' ', arguments)} has not ended");
    }

    /// <summary>SIGTERM, and SIGKILL half a minute later; gives the exit code and what it wrote.</summary>
    public async Task<(int ExitCode, string Output)> StopAsync(string container)
    {
        await channel.Runtime.StopContainerAsync(new StopContainerRequest { ContainerId = container, Timeout = 30 });
        var status = await StatusAsync(container);
        return (status.ExitCode, await LogAsync(status));
    }

    /// <summary>What a container has written so far.</summary>
    public async Task<string> LogAsync(string container) => await LogAsync(await StatusAsync(container));

    private async Task<ContainerStatus> StatusAsync(string container) =>
        (await channel.Runtime.ContainerStatusAsync(new ContainerStatusRequest { ContainerId = container })).Status;

    /// <summary>The runtime may say that a container has ended before it has written down its last words.</summary>
    private static async Task<string> LastLogAsync(ContainerStatus status)
    {
        for (var end = DateTime.UtcNow.AddSeconds(5); ; await Task.Delay(50))
        {
            if (await LogAsync(status) is { Length: > 0 } log)
                return log;
            if (DateTime.UtcNow > end)
                return "";
        }
    }

    /// <summary>A line of the file is a time, the stream, F or P for a part of a line, and the text.</summary>
    private static async Task<string> LogAsync(ContainerStatus status) =>
        string.Join('\n', (await File.ReadAllLinesAsync(status.LogPath)).Select(l => l.Split(' ', 4)[3]));
}
