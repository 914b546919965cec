using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Image;

namespace Danm.Tests.EndToEnd.Cluster;

/// <summary>
/// The image of another build: that of DANM_NEXT_BINARY, where it names one, as that of another commit; else the same programs as a file of other
/// bytes. What a later build changes in formats is for the tests of those formats; this is for how one takes the other's place.
/// </summary>
internal static class NextImage
{
    public const string Name = "localhost/danm:0.1.1";

    /// <summary>What an ELF file may have behind its end.</summary>
    public static ReadOnlySpan<byte> Mark => "another build"u8;

    /// <summary>Writes the archive, as <c>docker save</c> does.</summary>
    public static void Write(string path)
    {
        var image = ImageArchive.Open();
        var layer = new MemoryStream();
        using (var tar = new TarWriter(layer, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in image.Content)
            {
                if (entry.Name == "usr/local/bin/danm")
                {
                    var content = new MemoryStream();
                    using (var program = Environment.GetEnvironmentVariable("DANM_NEXT_BINARY") is { Length: > 0 } other ? File.OpenRead(other) : entry.DataStream!)
                    {
                        program.Position = 0;
                        program.CopyTo(content);
                    }

                    content.Write(Mark);
                    content.Position = 0;
                    entry.DataStream = content;
                }

                tar.WriteEntry(entry);
            }
        }

        var config = (JsonObject)image.Config.DeepClone();
        config["rootfs"]!["diff_ids"] = new JsonArray($"sha256:{Digest(layer.ToArray())}");
        var manifest = new JsonArray(new JsonObject { ["Config"] = "config.json", ["RepoTags"] = new JsonArray(Name), ["Layers"] = new JsonArray("layer.tar") });
        using var file = File.Create(path);
        using var archive = new TarWriter(file, TarEntryFormat.Pax);
        foreach (var (name, content) in ((string, byte[])[])[("layer.tar", layer.ToArray()), ("config.json", Json.ToUtf8(config)), ("manifest.json", Json.ToUtf8(manifest))])
            archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
    }

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
