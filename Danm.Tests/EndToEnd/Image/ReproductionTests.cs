using System.Diagnostics;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The build makes the same archive of the same executable, whenever it does.</summary>
[TestFixture, Parallelizable]
public sealed class ReproductionTests
{
    [Test]
    public async Task The_same_executable_makes_the_same_archive()
    {
        ImageArchive.Require();
        var folder = Directory.CreateTempSubdirectory("danm-image-");
        try
        {
            var again = Path.Combine(folder.FullName, "again.tar");
            // Exclusive: without what the target depends on, which is minutes of native compilation if a source is newer.
            using var build = Process.Start(new ProcessStartInfo("dotnet", ["cake", "build.cake", "--target=Image", "--exclusive", $"--archive={again}", $"--runtime=linux-{(ImageArchive.Architecture == "amd64" ? "x64" : "arm64")}"])
            {
                WorkingDirectory = DanmBinary.Repository, RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
            var (output, error) = (build.StandardOutput.ReadToEndAsync(), build.StandardError.ReadToEndAsync());
            await build.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(2));

            build.ExitCode.Should().Be(0, "{0}{1}", await output, await error);
            (await File.ReadAllBytesAsync(again)).Should().Equal(await File.ReadAllBytesAsync(ImageArchive.Path));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
