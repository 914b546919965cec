using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>
/// What runtimes do through libcni with a network list: each plugin gets its part of the list with the list's name and version, what it
/// declares of the capability arguments, and the result so far. The result and the configuration of an ADD are cached, as files, and
/// CHECK, DEL and GC use what the cache has.
/// </summary>
internal sealed class LibcniDriver(HostNode node, JsonObject list)
{
    private readonly DirectoryInfo cache = Directory.CreateDirectory(node.PathOf($"libcni-{Guid.NewGuid():n}"));

    private string Version => (string)list["cniVersion"]!;

    /// <summary>The folders that plugins are looked for in; the node sees what it has under /run.</summary>
    public string Path { get; init; } = $"{DanmBinary.PluginFolder}:/usr/lib/cni:{Recorder.Folder}";

    /// <summary>CNI_IFNAME.</summary>
    public string IfName { get; init; } = "eth0";

    /// <summary>CNI_ARGS; null: what a runtime of Kubernetes says of the Pod.</summary>
    public string? Args { get; init; }

    /// <summary>ADD of each plugin in order; gives the last one's result.</summary>
    public async Task<CniOutcome> AddAsync(Sandbox pod, JsonObject? capabilityArgs = null)
    {
        JsonNode? result = null;
        CniOutcome? outcome = null;
        foreach (var plugin in Plugins(list))
        {
            outcome = await CallAsync("ADD", plugin, pod, result, capabilityArgs);
            if (outcome.ExitCode != 0)
                return outcome;
            result = outcome.Json;
        }

        var entry = new JsonObject
        {
            ["kind"] = "cniCacheV1", ["containerId"] = pod.ContainerId, ["networkName"] = (string)list["name"]!, ["ifName"] = IfName,
            ["config"] = list.DeepClone(), ["capabilityArgs"] = capabilityArgs?.DeepClone(), ["result"] = result!.DeepClone(),
        };
        await File.WriteAllTextAsync(CacheOf(pod), entry.ToJsonString());
        return outcome!;
    }

    /// <summary>CHECK of each plugin in order, with the cached result.</summary>
    /// <exception cref="InvalidOperationException">The list's version has none.</exception>
    public async Task<CniOutcome> CheckAsync(Sandbox pod)
    {
        RequireVersion("0.4.0", "CHECK");
        if (list["disableCheck"] is { } disabled && (bool)disabled)
            return new CniOutcome(0, "", "");
        var cached = Cached(pod) ?? throw new InvalidOperationException("CHECK needs the result of an ADD");
        CniOutcome? outcome = null;
        foreach (var plugin in Plugins((JsonObject)cached["config"]!))
        {
            outcome = await CallAsync("CHECK", plugin, pod, cached["result"], cached["capabilityArgs"] as JsonObject);
            if (outcome.ExitCode != 0)
                break;
        }

        return outcome!;
    }

    /// <summary>DEL of each plugin in reverse; since 0.4.0 with the cached result, which is forgotten at the end.</summary>
    public async Task<CniOutcome> DelAsync(Sandbox pod)
    {
        var cached = Cached(pod);
        CniOutcome? outcome = null;
        foreach (var plugin in Plugins(list).Reverse())
        {
            outcome = await CallAsync("DEL", plugin, pod, IsAtLeast("0.4.0") ? cached?["result"] : null, cached?["capabilityArgs"] as JsonObject);
            if (outcome.ExitCode != 0)
                return outcome;
        }

        Forget(pod);
        return outcome!;
    }

    /// <summary>The cache loses a container, as when a runtime's disk was wiped: GC will not hear of it.</summary>
    public void Forget(Sandbox pod) => File.Delete(CacheOf(pod));

    /// <summary>DEL of what is cached and not valid, then GC of each plugin with the list of what is.</summary>
    /// <exception cref="InvalidOperationException">The list's version has none.</exception>
    public async Task<CniOutcome> GcAsync(params Sandbox[] valid)
    {
        RequireVersion("1.1.0", "GC");
        foreach (var file in cache.GetFiles())
            valid.Should().Contain(p => p.ContainerId == file.Name, "this runtime deletes what it knows before GC");
        var attachments = new JsonArray([.. valid.Select(p => new JsonObject { ["containerID"] = p.ContainerId, ["ifname"] = IfName })]);
        CniOutcome? outcome = null;
        foreach (var plugin in Plugins(list))
        {
            var config = ConfigOf(plugin, null, null);
            config["cni.dev/valid-attachments"] = attachments.DeepClone();
            // What libcni wrote before the specification settled on the name above.
            config["cni.dev/attachments"] = attachments.DeepClone();
            outcome = await CallAsync(plugin, new CniCall("GC") { IfName = null, Config = config });
            if (outcome.ExitCode != 0)
                break;
        }

        return outcome!;
    }

    /// <summary>STATUS of each plugin.</summary>
    /// <exception cref="InvalidOperationException">The list's version has none.</exception>
    public async Task<CniOutcome> StatusAsync()
    {
        RequireVersion("1.1.0", "STATUS");
        CniOutcome? outcome = null;
        foreach (var plugin in Plugins(list))
        {
            outcome = await CallAsync(plugin, new CniCall("STATUS") { IfName = null, Config = ConfigOf(plugin, null, null) });
            if (outcome.ExitCode != 0)
                break;
        }

        return outcome!;
    }

    private Task<CniOutcome> CallAsync(string command, JsonObject plugin, Sandbox pod, JsonNode? prevResult, JsonObject? capabilityArgs) =>
        CallAsync(plugin, Call(command, plugin, pod, prevResult, capabilityArgs));

    /// <summary>The call of one plugin.</summary>
    public CniCall Call(string command, JsonObject plugin, Sandbox pod, JsonNode? prevResult = null, JsonObject? capabilityArgs = null)
    {
        var call = pod.Call(command) with { IfName = IfName, Path = Path, Config = ConfigOf(plugin, prevResult, capabilityArgs) };
        return Args is null ? call : call with { Args = Args };
    }

    private Task<CniOutcome> CallAsync(JsonObject plugin, CniCall call)
    {
        var type = (string)plugin["type"]!;
        return node.CallAsync(call with { Path = Path }, [type == "danm" ? DanmBinary.Path : $"/usr/lib/cni/{type}"]);
    }

    private JsonObject ConfigOf(JsonObject plugin, JsonNode? prevResult, JsonObject? capabilityArgs)
    {
        var config = (JsonObject)plugin.DeepClone();
        config["name"] = (string)list["name"]!;
        config["cniVersion"] = Version;
        if (prevResult is not null)
            config["prevResult"] = prevResult.DeepClone();
        var declared = (plugin["capabilities"] as JsonObject ?? []).Where(c => (bool)c.Value!).Select(c => c.Key).ToHashSet();
        var given = (capabilityArgs ?? []).Where(a => declared.Contains(a.Key)).ToDictionary(a => a.Key, a => a.Value?.DeepClone());
        if (given.Count > 0)
            config["runtimeConfig"] = new JsonObject(given);
        return config;
    }

    private static IEnumerable<JsonObject> Plugins(JsonObject list) => list["plugins"]!.AsArray().Select(p => (JsonObject)p!);

    private JsonObject? Cached(Sandbox pod) => File.Exists(CacheOf(pod)) ? (JsonObject)JsonNode.Parse(File.ReadAllText(CacheOf(pod)))! : null;

    private string CacheOf(Sandbox pod) => System.IO.Path.Combine(cache.FullName, pod.ContainerId);

    private bool IsAtLeast(string version) => System.Version.Parse(Version) >= System.Version.Parse(version);

    private void RequireVersion(string version, string command)
    {
        if (!IsAtLeast(version))
            throw new InvalidOperationException($"{command} came with {version}, the list is of {Version}");
    }
}
