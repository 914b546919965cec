using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The Dockerfile makes the image that the build makes.</summary>
[TestFixture]
public sealed class DockerfileTests
{
    private ImageArchive image = null!;
    private List<(string Instruction, string Arguments)> instructions = null!;

    [OneTimeSetUp]
    public void Open()
    {
        image = ImageArchive.Open();
        instructions =
        [
            .. File.ReadLines(Path.Combine(DanmBinary.Repository, "Dockerfile"))
                .Where(l => l.Length > 0 && l[0] != '#')
                .Select(l => l.Split(' ', 2))
                .Select(p => (p[0], p[1])),
        ];
    }

    [Test]
    public void It_says_of_the_image_what_the_archive_says()
    {
        var last = instructions.Skip(instructions.FindLastIndex(i => i.Instruction == "FROM")).ToList();
        var config = image.Config["config"]!;

        last.Should().Equal(
            ("FROM", "scratch"),
            ("COPY", "--from=build /root-of-image/ /"),
            ("ENV", string.Join(' ', config["Env"]!.AsArray().Select(e => (string)e!))),
            ("USER", (string)config["User"]!),
            ("WORKDIR", (string)config["WorkingDir"]!),
            ("ENTRYPOINT", config["Entrypoint"]!.ToJsonString()));
    }

    [Test]
    public async Task Its_files_are_those_of_the_archive()
    {
        await using var host = await PrivateNamespaces.StartAsync("mount -t tmpfs tmpfs /mnt");
        var unpack = instructions.Last(i => i.Instruction == "RUN").Arguments.Replace("/root-of-image", "/mnt/root", StringComparison.Ordinal).Replace("danm-image-*", $"danm-image-{ImageArchive.Architecture}", StringComparison.Ordinal);

        var unpacked = await host.RunAsync($"cd {DanmBinary.Repository} && {unpack} && cd /mnt/root && find . -mindepth 1 -printf '%P\\n'", TimeSpan.FromMinutes(1));

        unpacked.ExitCode.Should().Be(0, unpacked.Stderr);
        unpacked.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Should().BeEquivalentTo(image.Content.Select(e => e.Name.TrimEnd('/')));
    }
}
