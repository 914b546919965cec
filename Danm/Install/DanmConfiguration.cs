using System.Buffers;
using System.Text.Json;

namespace Danm.Install;

/// <summary>Danm's own CNI configuration: the first that a runtime takes.</summary>
internal static class DanmConfiguration
{
    /// <summary>The file's name.</summary>
    public const string FileName = "00-danm.conflist";

    /// <summary>The original's, which the runtime would take before ours.</summary>
    public const string OriginalFileName = "00-danm.conf";

    /// <summary>The name of the network, as the original's: what GC and logs know it by.</summary>
    public const string Name = "danm_meta_cni";

    /// <summary>Whether a file's name is ours or the original's.</summary>
    public static bool IsOurs(string fileName) => fileName is FileName or OriginalFileName;

    /// <summary>The file's content.</summary>
    /// <param name="options">What the installer was told.</param>
    /// <param name="capabilities">What the adopted network wants of the runtime: a runtime asks the first file only.</param>
    public static byte[] Write(InstallOptions options, IReadOnlyList<string> capabilities)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            // containerd 1.6 refuses a list of 1.1.0; newer runtimes choose from cniVersions.
            json.WriteString("cniVersion", "1.0.0");
            json.WriteStartArray("cniVersions");
            json.WriteStringValue("1.0.0");
            json.WriteStringValue("1.1.0");
            json.WriteEndArray();
            json.WriteString("name", Name);
            json.WriteStartArray("plugins");
            json.WriteStartObject();
            json.WriteString("type", "danm");
            json.WriteString("kubeconfig", $"{options.HostConfDir}/{ApiAccess.Folder}/{ApiAccess.KubeconfigName}");
            json.WriteString("cniDir", options.HostCniDir ?? options.HostConfDir);
            json.WriteString("nodeName", options.NodeName);
            if (options.NamingScheme is { } naming)
                json.WriteString("namingScheme", naming);
            if (options.VxlanFlooding is { } flooding)
                json.WriteString("vxlanFlooding", flooding);
            if (capabilities.Count > 0)
            {
                json.WriteStartObject("capabilities");
                foreach (var capability in capabilities)
                    json.WriteBoolean(capability, true);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }
}
