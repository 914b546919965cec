namespace Danm.Cni;

/// <summary>Writes the specification's error object (1.1.0, section "Error").</summary>
internal static class CniErrorWriter
{
    /// <summary>Longest message, in characters: runtimes put it into Events, which hold 1 KiB, and into their log.</summary>
    public const int MaxMessage = 4096;

    /// <summary>Longest details, in characters.</summary>
    public const int MaxDetails = 16384;

    /// <summary>The JSON text of <paramref name="error"/> in <paramref name="version"/>.</summary>
    public static ReadOnlyMemory<byte> Write(CniException error, SpecVersion version) =>
        CniJsonWriter.Object((error, version), static (json, document) =>
        {
            var (error, version) = document;
            json.WriteString("cniVersion"u8, version.ToString());
            json.WriteNumber("code"u8, error.Code);
            json.WriteString("msg"u8, CniText.Clean(error.Msg, MaxMessage, keepLineFeeds: true));
            if (!string.IsNullOrEmpty(error.Details))
                json.WriteString("details"u8, CniText.Clean(error.Details, MaxDetails, keepLineFeeds: true));
        });
}
