using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Machine = System.Runtime.InteropServices.Architecture;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The container image as the build wrote it: an OCI layout in a tar archive.</summary>
internal sealed class ImageArchive
{
    /// <summary>What manifests/ call it.</summary>
    public const string Name = "localhost/danm:0.1.0";

    private ImageArchive(IReadOnlyDictionary<string, byte[]> files)
    {
        Files = files;
        Index = Parse("index.json");
        Manifest = Parse(BlobOf(Index["manifests"]!.AsArray().Single()!));
        Config = Parse(BlobOf(Manifest["config"]!));
        using var compressed = new GZipStream(new MemoryStream(files[BlobOf(Manifest["layers"]!.AsArray().Single()!)]), CompressionMode.Decompress);
        using var layer = new MemoryStream();
        compressed.CopyTo(layer);
        Layer = layer.ToArray();
    }

    public static string Architecture { get; } = RuntimeInformation.OSArchitecture is Machine.Arm64 ? "arm64" : "amd64";

    public static string Path { get; } = System.IO.Path.Combine(DanmBinary.Repository, "artifacts", $"danm-image-{Architecture}.tar");

    /// <summary>By their paths in the archive.</summary>
    public IReadOnlyDictionary<string, byte[]> Files { get; }

    public JsonObject Index { get; }

    public JsonObject Manifest { get; }

    public JsonObject Config { get; }

    /// <summary>The only layer, uncompressed.</summary>
    public byte[] Layer { get; }

    /// <summary>What is in the layer, in its order.</summary>
    public IReadOnlyList<TarEntry> Content => [.. Read(Layer)];

    /// <summary>Skips or fails where there is no archive.</summary>
    public static void Require()
    {
        if (!File.Exists(Path))
            DanmBinary.Lacks($"{Path} is missing: make it first (./build.sh --target=Image)");
    }

    /// <summary>Reads the archive; skips or fails where there is none.</summary>
    public static ImageArchive Open()
    {
        Require();
        return new ImageArchive(Read(File.ReadAllBytes(Path)).ToDictionary(e => e.Name, ContentOf));
    }

    /// <summary>The path of the blob that a descriptor leads to.</summary>
    public static string BlobOf(JsonNode descriptor) => $"blobs/{((string)descriptor["digest"]!).Replace(':', '/')}";

    /// <summary>A file of the layer.</summary>
    public byte[] FileOf(string path) => ContentOf(Content.Single(e => e.Name == path));

    public void UnpackTo(string folder) => TarFile.ExtractToDirectory(new MemoryStream(Layer), folder, overwriteFiles: false);

    private JsonObject Parse(string path) => (JsonObject)JsonNode.Parse(Files[path])!;

    private static IEnumerable<TarEntry> Read(byte[] archive)
    {
        using var reader = new TarReader(new MemoryStream(archive));
        while (reader.GetNextEntry(copyData: true) is { } entry)
            yield return entry;
    }

    private static byte[] ContentOf(TarEntry entry)
    {
        using var content = new MemoryStream();
        entry.DataStream?.CopyTo(content);
        return content.ToArray();
    }
}
