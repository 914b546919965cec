using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.FakeIpam;
using Danm.Netlink;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>Where a delegate's addresses come from.</summary>
internal enum IpamSource
{
    /// <summary>From what its own configuration says.</summary>
    Delegate,

    /// <summary>From Danm, through fakeipam.</summary>
    Danm,

    /// <summary>From nowhere.</summary>
    None,
}

/// <summary>How the plugins of a network will be called: all that is known before there are addresses.</summary>
/// <param name="List">The chain.</param>
/// <param name="Ipam">Where its addresses come from.</param>
/// <param name="RuntimeConfig">What the runtime filled in for capabilities; null for all but the Pod's first interface.</param>
internal sealed record DelegatePlan(NetworkList List, IpamSource Ipam, ReadOnlyMemory<byte>? RuntimeConfig)
{
    /// <summary>The configurations, with the addresses that Danm has reserved.</summary>
    public DelegateRecord Compose(IReadOnlyList<CidrAddress> addresses) => new()
    {
        Name = List.Name,
        CniVersion = List.Version?.ToString(),
        DisableCheck = List.DisableCheck,
        DisableGc = List.DisableGc,
        Plugins = [.. List.Plugins.Select((p, i) => new PluginRecord(p.Type, Text(Compose(p, i, addresses))))],
    };

    private ReadOnlyMemory<byte> Compose(PluginConf plugin, int position, IReadOnlyList<CidrAddress> addresses)
    {
        var changes = new List<KeyValuePair<string, ReadOnlyMemory<byte>>> { PluginConfWriter.Text("name", List.Name) };
        if (List.Version is { } version)
            changes.Add(PluginConfWriter.Text("cniVersion", version.ToString()));
        if (Ipam == IpamSource.Danm && addresses.Count > 0 && position == PlaceOfIpam())
            changes.Add(new("ipam", FakeIpamConf.Write(addresses)));
        else if (Ipam != IpamSource.Delegate && plugin.HasIpam)
            changes.Add(new("ipam", default));
        if (PluginConfWriter.RuntimeConfigFor(plugin, RuntimeConfig) is { IsEmpty: false } runtimeConfig)
            changes.Add(new("runtimeConfig", runtimeConfig));
        return PluginConfWriter.Change(plugin.Json, changes);
    }

    // In a chain, the plugin that makes the interface is the one that has an ipam, or the first.
    private int PlaceOfIpam()
    {
        for (var i = 0; i < List.Plugins.Count; i++)
        {
            if (List.Plugins[i].HasIpam)
                return i;
        }

        return 0;
    }

    private static string Text(ReadOnlyMemory<byte> json) => System.Text.Encoding.UTF8.GetString(json.Span).TrimEnd('\n');
}
