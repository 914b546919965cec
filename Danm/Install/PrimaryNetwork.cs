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
        foreach (var name in Configurations(confDir))
        {
            var id = Path.GetFileNameWithoutExtension(name);
            if (!Names.IsPlain(id, NetworkRules.MaxIdLength))
                throw new InstallException($"{CniText.Quote(Path.Combine(confDir, name))} cannot be adopted: its name cannot be a NetworkID (letters, digits, '.', '_' and '-', a letter or digit first): give it another one");
            // Packages of runtimes bring one; no Pod had it for its network.
            if (Read(confDir, id) is { Type: not "loopback" } primary)
                return primary;
        }

        return null;
    }

    /// <summary>
    /// Looks whether the runtime's first configuration is a metaplugin's, also where the cluster has its default network from another node.
    /// </summary>
    /// <exception cref="InstallException">It is.</exception>
    public static void RefuseMetaplugin(string confDir)
    {
        foreach (var id in Configurations(confDir).Select(n => Path.GetFileNameWithoutExtension(n)).Where(i => Names.IsPlain(i, NetworkRules.MaxIdLength)))
        {
            var list = Known(confDir, id);
            RefuseMetaplugin(confDir, id, list);
            if (list is not { Plugins: [{ Type: "loopback" }, ..] })
                return;
        }
    }

    /// <summary>Looks whether a runtime takes another configuration before Danm's.</summary>
    /// <exception cref="InstallException">It does.</exception>
    public static void RefuseEarlier(string confDir)
    {
        if (Configurations(confDir).FirstOrDefault() is { } first && string.CompareOrdinal(first, DanmConfiguration.FileName) < 0)
            throw new InstallException($"{CniText.Quote(Path.Combine(confDir, first))} comes before {DanmConfiguration.FileName}, so Pods of this node start without Danm: give it a name that sorts behind, as 10-{first}");
    }

    /// <summary>A file that is known by its name; null if there is none.</summary>
    /// <exception cref="InstallException">It must not or cannot be adopted.</exception>
    public static PrimaryNetwork? Read(string confDir, string networkId)
    {
        var list = TryRead(confDir, networkId);
        if (list is null)
            return null;
        RefuseMetaplugin(confDir, networkId, list);
        return new(networkId, list.Plugins[0].Type, [.. list.Plugins.SelectMany(p => p.Capabilities).Distinct().Order(StringComparer.Ordinal)]);
    }

    /// <summary>Looks whether a content is a configuration that may be adopted.</summary>
    /// <exception cref="InstallException">It is not.</exception>
    public static void Check(ReadOnlyMemory<byte> content, string source)
    {
        try
        {
            RefuseMetaplugin("", source, NetworkListReader.Read(content, source));
        }
        catch (CniException e)
        {
            throw new InstallException($"{source} is no CNI configuration: {e.Message}");
        }
    }

    private static IEnumerable<string> Configurations(string confDir) => Directory.EnumerateFiles(confDir).Select(p => Path.GetFileName(p))
        .Where(n => Extensions.Contains(Path.GetExtension(n)) && !DanmConfiguration.IsOurs(n)).Order(StringComparer.Ordinal);

    // What is not to be trusted or not valid is adopted by nobody, and of no file is it known what its plugins call.
    private static NetworkList? Known(string confDir, string networkId)
    {
        try
        {
            return DelegateFile.TryRead(confDir, networkId);
        }
        catch (CniException)
        {
            return null;
        }
    }

    private static NetworkList? TryRead(string confDir, string networkId)
    {
        try
        {
            return DelegateFile.TryRead(confDir, networkId);
        }
        catch (CniException e)
        {
            throw new InstallException($"the primary network cannot be adopted: {e.Message}");
        }
    }

    private static void RefuseMetaplugin(string confDir, string networkId, NetworkList? list)
    {
        if (list?.Plugins.FirstOrDefault(p => Metaplugins.Contains(p.Type, StringComparer.OrdinalIgnoreCase)) is { } meta)
            throw new InstallException($"{networkId}{(confDir.Length > 0 ? $" in {confDir}" : "")} is the configuration of {meta.Type}, which like Danm calls other plugins: one inside the other is not supported; remove it first, so that its primary network is the first in the folder");
    }
}
