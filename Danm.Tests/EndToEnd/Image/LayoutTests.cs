using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The archive is what the OCI image specification 1.1 says, and has in it what docs/image.md says.</summary>
[TestFixture]
public sealed class LayoutTests
{
    private const string Binary = "usr/local/bin/danm";

    private static readonly UnixFileMode Executable = (UnixFileMode)0b111_101_101, Readable = (UnixFileMode)0b110_100_100, Link = (UnixFileMode)0b111_111_111;

    private ImageArchive image = null!;

    [OneTimeSetUp]
    public void Open() => image = ImageArchive.Open();

    [Test]
    public void Every_blob_has_the_digest_that_it_is_called_by_and_belongs_to_the_image()
    {
        JsonNode[] descriptors = [image.Index["manifests"]![0]!, image.Manifest["config"]!, image.Manifest["layers"]![0]!];

        image.Files.Keys.Should().BeEquivalentTo(["oci-layout", "index.json", "manifest.json", .. descriptors.Select(ImageArchive.BlobOf)]);
        foreach (var descriptor in descriptors)
        {
            var blob = image.Files[ImageArchive.BlobOf(descriptor)];
            ((string)descriptor["digest"]!).Should().Be(Digest(blob));
            ((int)descriptor["size"]!).Should().Be(blob.Length);
        }
    }

    [Test]
    public void Index_manifest_and_configuration_say_what_they_are()
    {
        JsonNode.Parse(image.Files["oci-layout"])!["imageLayoutVersion"]!.GetValue<string>().Should().Be("1.0.0");
        foreach (var (document, type) in new[] { (image.Index, "index"), (image.Manifest, "manifest") })
        {
            ((int)document["schemaVersion"]!).Should().Be(2);
            ((string)document["mediaType"]!).Should().Be($"application/vnd.oci.image.{type}.v1+json");
        }

        ((string)image.Index["manifests"]![0]!["mediaType"]!).Should().Be("application/vnd.oci.image.manifest.v1+json");
        ((string)image.Manifest["config"]!["mediaType"]!).Should().Be("application/vnd.oci.image.config.v1+json");
        ((string)image.Manifest["layers"]![0]!["mediaType"]!).Should().Be("application/vnd.oci.image.layer.v1.tar+gzip");
        image.Config["rootfs"]!.ToJsonString().Should().Be($$"""{"type":"layers","diff_ids":["{{Digest(image.Layer)}}"]}""");
        foreach (var platform in new[] { image.Config, image.Index["manifests"]![0]!["platform"]! })
            ((string)platform["os"]!, (string)platform["architecture"]!).Should().Be(("linux", ImageArchive.Architecture));
    }

    [Test]
    public void Every_importer_finds_its_name()
    {
        var annotations = image.Index["manifests"]![0]!["annotations"]!;
        ((string)annotations["io.containerd.image.name"]!).Should().Be(ImageArchive.Name);
        ((string)annotations["org.opencontainers.image.ref.name"]!).Should().Be("0.1.0");

        // What docker load reads.
        var older = JsonNode.Parse(image.Files["manifest.json"])!.AsArray().Single()!;
        older["RepoTags"]!.AsArray().Select(t => (string)t!).Should().Equal(ImageArchive.Name);
        ((string)older["Config"]!).Should().Be(ImageArchive.BlobOf(image.Manifest["config"]!));
        older["Layers"]!.AsArray().Select(l => (string)l!).Should().Equal(ImageArchive.BlobOf(image.Manifest["layers"]![0]!));
    }

    [Test]
    public void It_runs_the_executable_as_nobody_in_particular()
    {
        var config = image.Config["config"]!;
        config["Entrypoint"]!.ToJsonString().Should().Be($$"""["/{{Binary}}"]""");
        // A number: kubelet cannot tell of a name whether it is root's.
        ((string)config["User"]!).Should().Be("65532:65532");
        config["Env"]!.ToJsonString().Should().Be("""["PATH=/usr/local/bin"]""");
        config["Cmd"].Should().BeNull();
    }

    [Test]
    public void It_is_the_executable_its_names_and_its_papers_and_nothing_else()
    {
        var content = image.Content;

        content.Select(e => (e.Name, e.EntryType, e.LinkName, e.Mode)).Should().Equal(
            Folder("cni"), Folder("etc"), Folder("etc/ssl"), Folder("etc/ssl/certs"),
            Folder("usr"), Folder("usr/local"), Folder("usr/local/bin"), Folder("usr/share"), Folder("usr/share/doc"), Folder("usr/share/doc/danm"),
            (Binary, TarEntryType.RegularFile, "", Executable),
            LinkTo("usr/local/bin/fakeipam", "danm"), LinkTo("usr/local/bin/kubectl-danm", "danm"), LinkTo("usr/local/bin/netwatcher", "danm"),
            LinkTo("usr/local/bin/svcwatcher", "danm"), LinkTo("usr/local/bin/webhook", "danm"),
            LinkTo("cni/danm", "../usr/local/bin/danm"), LinkTo("cni/fakeipam", "../usr/local/bin/danm"),
            ("usr/share/doc/danm/LICENSE", TarEntryType.RegularFile, "", Readable), ("usr/share/doc/danm/danm.cdx.json", TarEntryType.RegularFile, "", Readable));
        var created = DateTimeOffset.Parse((string)image.Config["created"]!, CultureInfo.InvariantCulture);
        content.Should().OnlyContain(e => e.Uid == 0 && e.Gid == 0 && e.ModificationTime == created);
        image.FileOf("usr/share/doc/danm/LICENSE").Should().Equal(File.ReadAllBytes(Path.Combine(DanmBinary.Repository, "LICENSE")));
    }

    [Test]
    public void It_is_smaller_than_60_MB_on_the_way_and_on_the_node()
    {
        new FileInfo(ImageArchive.Path).Length.Should().BeLessThan(60_000_000);
        image.Layer.Length.Should().BeLessThan(60_000_000);
    }

    private static (string, TarEntryType, string, UnixFileMode) Folder(string path) => (path + "/", TarEntryType.Directory, "", Executable);

    private static (string, TarEntryType, string, UnixFileMode) LinkTo(string path, string target) => (path, TarEntryType.SymbolicLink, target, Link);

    private static string Digest(byte[] content) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}";
}
