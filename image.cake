using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

// A container image from scratch, written as docker save writes it: an OCI layout (image-spec 1.1) in a tar archive, with the older manifest.json
// beside it. Everything in it is of one time and of root, so that the same files give the same bytes.
sealed class ImageArchive(string architecture, DateTimeOffset time)
{
    const UnixFileMode Readable = (UnixFileMode)0b110_100_100, Executable = (UnixFileMode)0b111_101_101;

    readonly List<TarEntry> files = [];
    readonly SortedDictionary<string, byte[]> blobs = new(StringComparer.Ordinal);

    public void AddFolder(string path) => Add(new UstarTarEntry(TarEntryType.Directory, path + "/") { Mode = Executable });

    public void AddLink(string path, string target) => Add(new UstarTarEntry(TarEntryType.SymbolicLink, path) { Mode = (UnixFileMode)0b111_111_111, LinkName = target });

    public void AddFile(string path, string source, bool executable = false) => Add(
        new UstarTarEntry(TarEntryType.RegularFile, path) { Mode = executable ? Executable : Readable, DataStream = new MemoryStream(System.IO.File.ReadAllBytes(source)) });

    // Gives the manifest's digest, which is the image's.
    public string Write(string archive, string name, string tag, JsonObject configuration)
    {
        var layer = Tar(files);
        var compressed = Compress(layer);
        var labels = configuration["Labels"]!.AsObject();
        var config = Blob("application/vnd.oci.image.config.v1+json", new JsonObject
        {
            ["created"] = Text(time),
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = configuration,
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Digest(layer)) },
            ["history"] = new JsonArray(new JsonObject { ["created"] = Text(time), ["created_by"] = "build.cake" }),
        });
        var layers = Blob("application/vnd.oci.image.layer.v1.tar+gzip", compressed);
        var manifest = Blob("application/vnd.oci.image.manifest.v1+json", new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = config,
            ["layers"] = new JsonArray(layers),
            ["annotations"] = labels.DeepClone(),
        });
        var digest = (string)manifest["digest"];
        manifest["platform"] = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        // The first is what skopeo and podman know the image by within the archive, the second what containerd calls it.
        manifest["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = tag, ["io.containerd.image.name"] = $"{name}:{tag}" };

        var content = new List<TarEntry>
        {
            Entry("oci-layout", Bytes(new JsonObject { ["imageLayoutVersion"] = "1.0.0" })),
            Entry("index.json", Bytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = "application/vnd.oci.image.index.v1+json", ["manifests"] = new JsonArray(manifest) })),
            Entry("manifest.json", Bytes(new JsonArray(new JsonObject
            {
                ["Config"] = PathOf((string)config["digest"]),
                ["RepoTags"] = new JsonArray($"{name}:{tag}"),
                ["Layers"] = new JsonArray(PathOf((string)layers["digest"])),
            }))),
        };
        content.AddRange(blobs.Select(b => Entry(PathOf(b.Key), b.Value)));
        // Whoever reads the archive meanwhile sees the old one or the new one.
        System.IO.File.WriteAllBytes(archive + ".new", Tar(content));
        System.IO.File.Move(archive + ".new", archive, overwrite: true);
        return digest;
    }

    JsonObject Blob(string mediaType, JsonNode content) => Blob(mediaType, Bytes(content));

    JsonObject Blob(string mediaType, byte[] content)
    {
        blobs[Digest(content)] = content;
        return new JsonObject { ["mediaType"] = mediaType, ["digest"] = Digest(content), ["size"] = content.Length };
    }

    void Add(TarEntry entry)
    {
        entry.ModificationTime = time;
        files.Add(entry);
    }

    static TarEntry Entry(string path, byte[] content) =>
        new UstarTarEntry(TarEntryType.RegularFile, path) { Mode = Readable, ModificationTime = DateTimeOffset.UnixEpoch, DataStream = new MemoryStream(content) };

    static byte[] Tar(IEnumerable<TarEntry> entries)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var entry in entries)
                writer.WriteEntry(entry);
        }

        return stream.ToArray();
    }

    static byte[] Compress(byte[] content)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(content);
        return stream.ToArray();
    }

    static byte[] Bytes(JsonNode content) => System.Text.Encoding.UTF8.GetBytes(content.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";

    static string PathOf(string digest) => $"blobs/{digest.Replace(':', '/')}";

    static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture);
}
