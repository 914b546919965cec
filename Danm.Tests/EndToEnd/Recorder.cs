using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// A plugin of the newest specification, which no plugin of Debian speaks: a script that makes a bridge in the Pod and writes down how
/// it was called. What it finds in <c>/run/recorder/COMMAND.error</c> it answers to that command, and fails.
/// </summary>
internal sealed class Recorder(HostNode node)
{
    /// <summary>The folder of it for CNI_PATH.</summary>
    public const string Folder = "/run/recorder/bin";

    private const string Script = """
        #!/bin/sh
        config=$(tr -d '\n')
        printf '{"command":"%s","container":"%s","ifname":"%s","netns":"%s","config":%s}\n' "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_IFNAME" "$CNI_NETNS" "$config" >> /run/recorder/calls
        if [ -e /run/recorder/$CNI_COMMAND.error ]; then cat /run/recorder/$CNI_COMMAND.error; exit 1; fi
        case $CNI_COMMAND in
        ADD)
            nsenter --net=$CNI_NETNS ip link add $CNI_IFNAME type bridge && nsenter --net=$CNI_NETNS ip link set $CNI_IFNAME up || exit 1
            printf '{"cniVersion":"1.1.0","interfaces":[{"name":"%s","sandbox":"%s"}]}' $CNI_IFNAME $CNI_NETNS;;
        DEL) [ -z "$CNI_NETNS" ] || nsenter --net=$CNI_NETNS ip link delete $CNI_IFNAME 2>/dev/null || true;;
        esac
        """;

    /// <summary>Puts it on the node, with nothing recorded.</summary>
    public Task InstallAsync() => node.ShellAsync(
        $"rm -rf /run/recorder; mkdir -p {Folder}; cat >{Folder}/recorder <<'SCRIPT'\n{Script}\nSCRIPT\nchmod 755 {Folder}/recorder; touch /run/recorder/calls");

    /// <summary>What it answers to a command from now on.</summary>
    public Task FailAsync(string command, string error) => node.ShellAsync($"cat >/run/recorder/{command}.error <<'ERROR'\n{error}\nERROR");

    /// <summary>How it was called for a command, in order.</summary>
    public async Task<IReadOnlyList<JsonObject>> CallsAsync(string command) =>
    [
        .. (await node.ShellAsync("cat /run/recorder/calls")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => (JsonObject)JsonNode.Parse(l)!).Where(c => (string)c["command"]! == command),
    ];
}
