using Danm.Attach.Delegation;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Networks;

namespace Danm.Install;

/// <summary>The network that Pods had before Danm, which becomes the one of Pods that ask for none. Its file stays where it is: whoever wrote it may write it again.</summary>
/// <param name="NetworkId">The name of its file without the ending.</param>
/// <param name="Type">Its (first) plugin.</param>
/// <param name="Capabilities">What its plugins want of the runtime.</param>
internal sealed record PrimaryNetwork(string NetworkId, string Type, IReadOnlyList<string> Capabilities)
{
    private static readonly string[] Extensions = [".conf", ".conflist", ".json"];

    // They call others themselves: one inside the other attaches everything twice.
    private static readonly string[] Metaplugins = ["multus", "multus-shim", "genie", "spiderpool", "coordinator", "danm"];

    /// <summary>The first file that a runtime would take if Danm were not there; null if there is none yet.</summary>
    /// <param name="confDir">The runtime's folder.</param>
    /// <exception cref="InstallException">It must not or cannot be adopted.</exception>
    public static PrimaryNetwork? Find(string confDir)
    {
        var first = Directory.EnumerateFiles(confDir).Select(Path.GetFileName)
            .Where(n => Extensions.Contains(Path.GetExtension(n)) && !DanmConfiguration.IsOurs(n!))
            .Order(StringComparer.Ordinal).FirstOrDefault();
        if (first is null)
            return null;
        var id = Path.GetFileNameWithoutExtension(first);
        if (!Names.IsPlain(id, NetworkRules.MaxIdLength))
            throw new InstallException($"{CniText.Quote(Path.Combine(confDir, first))} cannot be adopted: its name cannot be a NetworkID (letters, digits, '.', '_' and '-', a letter or digit first): give it another one");
        return Read(confDir, id);
    }

    /// <summary>A file that is known by its name; null if there is none.</summary>
    /// <exception cref="InstallException">It must not or cannot be adopted.</exception>
    public static PrimaryNetwork? Read(string confDir, string networkId)
    {
        NetworkList? list;
        try
        {
            list = DelegateFile.TryRead(confDir, networkId);
        }
        catch (CniException e)
        {
            throw new InstallException($"the primary network cannot be adopted: {e.Message}");
        }

        if (list is null)
            return null;
        if (list.Plugins.FirstOrDefault(p => Metaplugins.Contains(p.Type, StringComparer.OrdinalIgnoreCase)) is { } meta)
            throw new InstallException($"{networkId} in {confDir} is the configuration of {meta.Type}, which like Danm calls other plugins: one inside the other is not supported; remove it first, so that its primary network is the first in {confDir}");
        return new(networkId, list.Plugins[0].Type, [.. list.Plugins.SelectMany(p => p.Capabilities).Distinct().Order(StringComparer.Ordinal)]);
    }
}
