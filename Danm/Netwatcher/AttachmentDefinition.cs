using System.Text.Json;
using Danm.Api;
using Danm.HostLinks;
using Danm.Networks;

namespace Danm.Netwatcher;

/// <summary>
/// A NetworkAttachmentDefinition as netwatcher reads it: for each plugin of its configuration that has a <c>vlan</c> or <c>vxlan</c>, an
/// interface on the device that <c>master</c> named, or had named before it was led to that interface.
/// </summary>
/// <param name="Object">As the server has it.</param>
/// <param name="Wishes">The interfaces.</param>
/// <param name="Problem">Why there are fewer than it says.</param>
/// <param name="Rewrite">What it must say for its Pods to be on those interfaces; null if it does, or need not.</param>
internal sealed record AttachmentDefinition(NetworkAttachmentDefinition Object, IReadOnlyList<WantedLink> Wishes, string? Problem, DefinitionRewrite? Rewrite)
{
    private const int MaxConfig = 1 << 20;

    public string Name => $"{NetworkAttachmentDefinition.KindName}/{Object.Metadata.Namespace}/{Object.Metadata.Name}";

    /// <summary>
    /// The interfaces that its Pods may stand on although nobody can tell any more what it wants: a slip of the pen must not cut them.
    /// </summary>
    public IReadOnlyCollection<string> Held { get; private init; } = [];

    public static AttachmentDefinition Read(NetworkAttachmentDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var nothing = new AttachmentDefinition(definition, [], null, null);
        if (string.IsNullOrWhiteSpace(definition.Spec.Config) || definition.Spec.Config.Length > MaxConfig)
            return nothing;
        var led = new LedMasters(definition.Metadata.Annotations);
        try
        {
            return nothing.Read(AttachmentConfig.Parse(definition.Spec.Config), led);
        }
        catch (NetworkFaultException e)
        {
            return nothing with { Problem = Unusable(string.Join("; ", e.Faults.Select(f => f with { Field = FieldOf(f.Field) }))), Held = led.Names };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return nothing with { Problem = Unusable(e.Message), Held = led.Names };
        }
    }

    /// <summary>
    /// Whether its interfaces will be what it wants. Of networks that want a name for different ids the oldest has it, and to lead the
    /// others there would put their Pods on its segment. Every node must come to the same answer, so what is on this one does not count.
    /// </summary>
    /// <param name="wishes">All networks', by the interface's name.</param>
    public bool MayBeLed(ILookup<string, WantedLink> wishes) => !Wishes.Any(own => wishes[own.Parent.Name].Any(other =>
        (other.Parent.Encapsulation, other.Parent.Vni) != (own.Parent.Encapsulation, own.Parent.Vni) && IsOlder(other, own)));

    private AttachmentDefinition Read(AttachmentConfig config, LedMasters led)
    {
        var parents = new Dictionary<string, ParentLink>();
        var edits = new List<(AttachmentConfig.Plugin, string)>();
        foreach (var plugin in config.Plugins)
        {
            if (string.IsNullOrEmpty(plugin.Master))
                continue;
            if (!plugin.IsEncapsulated)
            {
                // Its vlan was taken out: without its device it would lose the network with the interface.
                if (led.DeviceOf(plugin.Master, null) is { } original)
                    edits.Add((plugin, original));
                continue;
            }

            var name = ParentOf(config.Name, plugin, plugin.Master).Name;
            var parent = ParentOf(config.Name, plugin, led.DeviceOf(plugin.Master, name) ?? plugin.Master);
            if (parent.HostDevice == name)
                return this with { Problem = $"master is \"{name}\" already, and no annotation {NetworkAttachmentDefinition.OriginalMasterAnnotation} says which device it is on: set it to the device's name", Held = [.. led.Names, name] };
            if (!parents.TryAdd(name, parent) && parents[name] != parent)
                return this with { Problem = Unusable($"two plugins want \"{name}\", one as {HostLink.Describe(parents[name])}, one as {HostLink.Describe(parent)}: give each a configuration with a name of its own"), Held = led.Names };
            if (plugin.Master != name)
                edits.Add((plugin, name));
        }

        return this with
        {
            Wishes = [.. parents.Values.Select(p => new WantedLink(Name, p, null, Object.Metadata.CreationTimestamp ?? ""))],
            Rewrite = Difference(config, led, edits, parents.Values),
        };
    }

    private static DefinitionRewrite? Difference(AttachmentConfig config, LedMasters led, List<(AttachmentConfig.Plugin, string)> edits, IReadOnlyCollection<ParentLink> parents)
    {
        var rewrite = parents.Count == 0
            ? new DefinitionRewrite(config.With(edits), null, null)
            : new DefinitionRewrite(config.With(edits), string.Join(',', parents.Select(p => p.Name)), string.Join(',', parents.Select(p => p.HostDevice)));
        // A device that somebody wrote down is his while nothing of ours stands beside it.
        var isTold = rewrite.Interfaces == led.Interfaces && (rewrite.Interfaces is null || rewrite.Devices == led.Devices);
        return edits.Count == 0 && isTold ? null : rewrite;
    }

    private static ParentLink ParentOf(string? name, AttachmentConfig.Plugin plugin, string device)
    {
        var network = new Network
        {
            Spec = new NetworkSpec { NetworkId = name, Options = new NetworkOptions { Vlan = plugin.Vlan, Vxlan = plugin.Vxlan, HostDevice = device } },
        };
        return NetworkRules.Check(network) is { Count: > 0 } faults ? throw new NetworkFaultException(faults) : ParentLink.Of(network);
    }

    private static bool IsOlder(WantedLink one, WantedLink other) => string.CompareOrdinal(one.Created, other.Created) switch
    {
        0 => string.CompareOrdinal(one.Network, other.Network) < 0,
        var order => order < 0,
    };

    private static string Unusable(string why) => $"spec.config cannot be used: {why}";

    // A network's rules are a configuration's too, which has other names for the same.
    private static string FieldOf(string field) => field switch
    {
        "spec.NetworkID" => "name",
        "spec.Options.host_device" => "master",
        "spec.Options.vlan" => "vlan",
        "spec.Options.vxlan" => "vxlan",
        _ => field,
    };
}

/// <summary>What a NetworkAttachmentDefinition must say.</summary>
/// <param name="Config">spec.config.</param>
/// <param name="Interfaces">The annotation that names the interfaces of ours that masters lead to; null: no such annotation.</param>
/// <param name="Devices">The annotation that names the device of each; null: no such annotation.</param>
internal sealed record DefinitionRewrite(string Config, string? Interfaces, string? Devices)
{
    /// <summary>Where masters lead then, for people.</summary>
    public string Target => Interfaces ?? "the device";
}
