using System.Buffers;
using System.Text.Json;

namespace Danm.Cni.Plugins;

/// <summary>The list that a GC call carries (CNI specification 1.1.0, section "GC").</summary>
public static class ValidAttachments
{
    /// <summary>The JSON text of <c>cni.dev/valid-attachments</c>.</summary>
    public static ReadOnlyMemory<byte> Write(IReadOnlyList<CniAttachment> attachments)
    {
        ArgumentNullException.ThrowIfNull(attachments);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var (containerId, ifName) in attachments)
            {
                json.WriteStartObject();
                json.WriteString("containerID"u8, containerId);
                json.WriteString("ifname"u8, ifName);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return buffer.WrittenMemory;
    }
}
