using System.Text;
using System.Text.Json;
using Danm.Networks;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// The primary network's file where nobody else writes it: the original's <c>default_cni_config_data</c>. A file of its name that is there is
/// somebody's, and stays.
/// </summary>
internal static class BootstrapFile
{
    // A ConfigMap has at most 1 MiB; a configuration is a page.
    private const int MaxLength = 64 * 1024;

    /// <summary>Writes the file if it is asked for and missing.</summary>
    /// <exception cref="InstallException">It is no JSON object, or has no name.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static void Ensure(InstallOptions options, ILogger log)
    {
        if (options.DefaultNetworkConfig is not { } content)
            return;
        if (options.DefaultNetworkId is not { } id || !Names.IsPlain(id, NetworkRules.MaxIdLength))
            throw new InstallException("default_cni_config_data needs default_cni_network_id, a name of letters, digits, '.', '_' and '-', for its file");
        if (((string[])[".conf", ".conflist", ".json"]).Any(e => NodeFiles.Exists(Path.Combine(options.ConfDir, id + e))))
            return;
        if (!IsObject(content, out var isList))
            throw new InstallException("default_cni_config_data is no JSON object of a CNI configuration");
        PrimaryNetwork.Check(Encoding.UTF8.GetBytes(content), "default_cni_config_data");
        var path = Path.Combine(options.ConfDir, id + (isList ? ".conflist" : ".conf"));
        NodeFiles.Write(path, Encoding.UTF8.GetBytes(content), NodeFiles.Public);
        log.Wrote(path);
    }

    private static bool IsObject(string content, out bool isList)
    {
        isList = false;
        if (content.Length > MaxLength)
            return false;
        try
        {
            using var json = JsonDocument.Parse(content);
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return false;
            isList = json.RootElement.TryGetProperty("plugins", out _);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
