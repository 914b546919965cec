using System.Diagnostics;
using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Machine = System.Runtime.InteropServices.Architecture;

namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>
/// The image that every sandbox's first process is of: one static program that sleeps until it is killed. Written as <c>docker save</c>
/// does, which containerd imports.
/// </summary>
internal static class PauseImage
{
    public const string Name = "danm.test/pause:1";

    private const string Source = "int pause(void); int main(void) { for (;;) pause(); }";

    /// <summary>Compiles the program and writes the archive.</summary>
    /// <param name="folder">Where to work; it is made.</param>
    /// <returns>The archive's path.</returns>
    public static async Task<string> WriteAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var program = Path.Combine(folder, "pause");
        await File.WriteAllTextAsync(program + ".c", Source);
        using (var compiler = Process.Start("clang", ["-static", "-Os", "-s", "-o", program, program + ".c"]))
        {
            await compiler.WaitForExitAsync();
            compiler.ExitCode.Should().Be(0, "clang must compile {0}.c", program);
        }

        var layer = ToTar(("pause", await File.ReadAllBytesAsync(program)));
        var layerDigest = Digest(layer);
        var config = Json.ToUtf8(new JsonObject
        {
            ["architecture"] = RuntimeInformation.OSArchitecture is Machine.Arm64 ? "arm64" : "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Entrypoint"] = new JsonArray("/pause") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray($"sha256:{layerDigest}") },
        });
        var configDigest = Digest(config);
        var manifest = Json.ToUtf8(new JsonArray(new JsonObject
        {
            ["Config"] = $"{configDigest}.json",
            ["RepoTags"] = new JsonArray(Name),
            ["Layers"] = new JsonArray($"{layerDigest}/layer.tar"),
        }));

        var path = Path.Combine(folder, "pause.tar");
        await File.WriteAllBytesAsync(path, ToTar(($"{layerDigest}/layer.tar", layer), ($"{configDigest}.json", config), ("manifest.json", manifest)));
        return path;
    }

    private static byte[] ToTar(params ReadOnlySpan<(string Name, byte[] Content)> files)
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    Mode = (UnixFileMode)0b111_101_101,
                    DataStream = new MemoryStream(content),
                });
            }
        }

        return stream.ToArray();
    }

    private static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
