using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// Tests with delegates that are shell scripts of their own, in the first folder of CNI_PATH, beside Debian's plugins. What is called
/// when stands in <see cref="CallsAsync"/>.
/// </summary>
public abstract class ScriptedDelegateFixture : HostFixture
{
    /// <summary>Makes the interface, which as a bridge needs no parent, and answers without an address.</summary>
    private protected const string MakeInterface = """ip -n "${CNI_NETNS##*/}" link add "$CNI_IFNAME" type bridge && """ + Answer;

    /// <summary>A valid result of 1.0.0 about the interface.</summary>
    private protected const string Answer = """
        printf '{"cniVersion":"1.0.0","interfaces":[{"name":"%s","sandbox":"%s"}]}' "$CNI_IFNAME" "$CNI_NETNS"
        """;

    /// <summary>Removes the interface where it is.</summary>
    private protected const string RemoveInterface = """ip -n "${CNI_NETNS##*/}" link delete "$CNI_IFNAME" 2>/dev/null; true""";

    private protected const string Macvlan = """
        {"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","net6":"fd01::/64"}}
        """;

    /// <summary>CNI_PATH.</summary>
    private protected static string PluginPath => $"/run/plugins:{DanmBinary.PluginFolder}:/usr/lib/cni";

    // What a delegate that was called before its runner ended may still need to end by itself.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    [SetUp]
    public Task MakeFolders() => Node.ShellAsync("mkdir -p /run/cni /run/plugins /run/calls && rm -rf /run/cni/* /run/plugins/* /run/calls/* /run/leases");

    /// <summary>A plugin that is a script, and a network of its type and name.</summary>
    /// <param name="name">Of plugin, network and file.</param>
    /// <param name="add">Shell commands of its ADD.</param>
    /// <param name="del">Shell commands of its DEL.</param>
    private protected async Task DelegateAsync(string name, string add, string del = RemoveInterface)
    {
        await DelegateScriptAsync(name, add, del);
        await NetworkAsync(name);
    }

    /// <summary>The plugin alone; one that is there is replaced.</summary>
    private protected Task DelegateScriptAsync(string name, string add, string del = RemoveInterface) =>
        ScriptAsync(name, $$"""
            #!/bin/bash
            echo "$EPOCHREALTIME begin $CNI_COMMAND ${0##*/}" >>/run/calls/log
            config=$(cat)
            printf '%s\n' "$config" >"/run/calls/$CNI_COMMAND.${0##*/}"
            add() {
            {{add}}
            }
            del() {
            {{del}}
            }
            case $CNI_COMMAND in ADD) add ;; DEL) del ;; esac
            status=$?
            echo "$EPOCHREALTIME end $CNI_COMMAND ${0##*/}" >>/run/calls/log
            exit $status
            """);

    /// <summary>A network whose file names the plugin of its own name.</summary>
    private protected async Task NetworkAsync(string name)
    {
        await FileAsync($"{name}.conf", $$"""{"cniVersion":"1.0.0","name":"{{name}}","type":"{{name}}"}""");
        Node.Server.Store.Create(Objects.Network("DanmNet", name, $$"""{"NetworkID":"{{name}}","NetworkType":"{{name}}"}"""));
    }

    /// <summary>The macvlan network <c>mv</c>.</summary>
    private protected void MacvlanNetwork() => Node.Server.Store.Create(Objects.Network("DanmNet", "mv", Macvlan));

    /// <summary>An executable in the first folder of CNI_PATH.</summary>
    private protected Task ScriptAsync(string name, string content) =>
        Node.ShellAsync($"cat >/run/plugins/{name} <<'SCRIPT'\n{content}\nSCRIPT\nchmod 755 /run/plugins/{name}");

    /// <summary>A file in cniDir.</summary>
    private protected Task FileAsync(string name, string content) => Node.ShellAsync($"cat >/run/cni/{name} <<'FILE'\n{content}\nFILE");

    private protected Task<Sandbox> PodAsync(string interfaces) => Node.StartPodAsync(Objects.Pod("a", interfaces));

    private protected static CniCall Call(Sandbox pod, string command, string cniVersion = "1.0.0")
    {
        var call = pod.Call(command, cniVersion) with { Path = PluginPath };
        call.Config["cniDir"] = "/run/cni";
        return call;
    }

    private protected Task<CniOutcome> AddAsync(Sandbox pod) => Node.CallAsync(Call(pod, "ADD"));

    private protected Task<CniOutcome> DelAsync(Sandbox pod) => Node.CallAsync(Call(pod, "DEL"));

    /// <summary>A call that has nothing to do but what earlier ones could not.</summary>
    private protected async Task NextCallAsync()
    {
        var call = new CniCall("DEL") { ContainerId = "unknown", Args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=unknown", Config = Node.Config(), Path = PluginPath };
        call.Config["cniDir"] = "/run/cni";
        (await Node.CallAsync(call)).Succeeded();
    }

    /// <summary>The calls of scripts, in the order in which they began.</summary>
    private protected async Task<IReadOnlyList<DelegateRun>> CallsAsync()
    {
        var runs = new List<DelegateRun>();
        foreach (var line in (await Node.ShellAsync("cat /run/calls/log 2>/dev/null || true")).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var words = line.Split(' ');
            var (time, command, plugin) = (double.Parse(words[0]), words[2], words[3]);
            if (words[1] == "begin")
                runs.Add(new DelegateRun(plugin, command, time, double.PositiveInfinity));
            else if (runs.FindLastIndex(r => r.Plugin == plugin && r.Command == command) is >= 0 and var last)
                runs[last] = runs[last] with { End = time };
        }

        return [.. runs.OrderBy(r => r.Begin)];
    }

    /// <summary>The last configuration that a script was called with.</summary>
    private protected async Task<JsonObject> ConfigOfAsync(string command, string plugin) =>
        (JsonObject)JsonNode.Parse(await Node.ShellAsync($"cat /run/calls/{command}.{plugin}"))!;

    private protected Task<string> LogAsync() => Node.ShellAsync("cat /var/log/danm.log 2>/dev/null || true");

    /// <summary>No object, no file, no interface, no rule.</summary>
    private protected async Task ExpectNothingLeftAsync(Sandbox pod)
    {
        Node.Objects().Should().BeEmpty();
        (await Node.StateAsync()).Should().BeEmpty();
        await ExpectNoInterfaceAsync(pod);
    }

    private protected async Task ExpectNoInterfaceAsync(Sandbox pod)
    {
        (await pod.RunAsync("ip -o link")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().OnlyContain(l => l.Contains(" lo:"));
        (await pod.RunAsync("ip rule")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(3);
    }

    /// <summary>No process whose command line holds a text.</summary>
    private protected async Task ExpectNoProcessAsync(string text)
    {
        var deadline = DateTime.UtcNow + Settling;
        string found;
        while ((found = await Node.ShellAsync($"pgrep -af '{text}' | grep -v pgrep || true")).Length > 0 && DateTime.UtcNow < deadline)
            await Task.Delay(100);
        found.Should().BeEmpty("nothing that a plugin started may outlive the call");
    }

    /// <param name="Plugin">The script.</param>
    /// <param name="Command">CNI_COMMAND.</param>
    /// <param name="Begin">Seconds of the wall clock.</param>
    /// <param name="End">The same; infinite if it never came to its end.</param>
    private protected sealed record DelegateRun(string Plugin, string Command, double Begin, double End);
}
