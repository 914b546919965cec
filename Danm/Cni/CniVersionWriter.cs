namespace Danm.Cni;

/// <summary>Writes the answer to VERSION (1.1.0, section "VERSION Success").</summary>
internal static class CniVersionWriter
{
    /// <summary>The JSON text, in the version that the caller speaks.</summary>
    public static ReadOnlyMemory<byte> Write(SpecVersion version) => CniJsonWriter.Object(version, static (json, version) =>
    {
        json.WriteString("cniVersion"u8, version.ToString());
        json.WriteStartArray("supportedVersions"u8);
        foreach (var supported in SpecVersion.Supported)
            json.WriteStringValue(supported);
        json.WriteEndArray();
    });
}
