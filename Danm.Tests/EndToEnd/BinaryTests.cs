using System.Diagnostics;
using System.Globalization;
using Danm.Tests.Benchmarks;

namespace Danm.Tests.EndToEnd;

/// <summary>What the published executable is made of, and what its start costs, counted rather than timed.</summary>
/// <remarks>Not in parallel with others: orphans of this process come to it while one is measured.</remarks>
[TestFixture]
public sealed class BinaryTests
{
    private const long MaxSize = 48_000_000;

    /// <summary>As measured.</summary>
    private const int SystemCalls = 196, PageFaults = 286;

    /// <summary>How much more they may be with another kernel, C library or number of processors.</summary>
    private const double Tolerance = 1.25;

    private const uint Dynamic = 2, Interpreter = 3;

    private static readonly Dictionary<string, string> Version = new() { ["CNI_COMMAND"] = "VERSION" };

    private DirectoryInfo folder = null!;

    [OneTimeSetUp]
    public void Require()
    {
        DanmBinary.Require();
        folder = Directory.CreateTempSubdirectory("danm-binary-");
    }

    [OneTimeTearDown]
    public void Remove() => folder?.Delete(recursive: true);

    [Test]
    public void Needs_no_library_and_no_loader() =>
        ElfFile.SegmentTypes(DanmBinary.Path).Should().NotBeEmpty().And.NotContain([Dynamic, Interpreter]);

    [Test]
    public void Is_no_larger_than_48_MB() => new FileInfo(DanmBinary.Path).Length.Should().BeLessThanOrEqualTo(MaxSize);

    [Test]
    public async Task VERSION_makes_few_system_calls()
    {
        var summary = Path.Combine(folder.FullName, "strace");
        var start = new ProcessStartInfo("strace", ["-f", "-c", "-o", summary, DanmBinary.Path]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["CNI_COMMAND"] = "VERSION";
        using var strace = Process.Start(start)!;
        await strace.StandardInput.WriteAsync("""{"cniVersion":"1.0.0"}""");
        strace.StandardInput.Close();
        (await strace.StandardOutput.ReadToEndAsync()).Should().Contain("supportedVersions");
        await strace.WaitForExitAsync();

        // % time, seconds, usecs/call, calls, perhaps errors, and the word "total".
        var text = await File.ReadAllTextAsync(summary);
        var total = text.Split('\n').Last(l => l.EndsWith(" total", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int.Parse(total[3], CultureInfo.InvariantCulture).Should().BePositive().And.BeLessThanOrEqualTo((int)(SystemCalls * Tolerance), "{0}", text);
    }

    [Test]
    public async Task VERSION_makes_few_page_faults()
    {
        // How many pages of the file one fault brings depends on how it was written.
        var copy = Path.Combine(folder.FullName, "danm");
        await using (var from = File.OpenRead(DanmBinary.Path))
        await using (var to = new FileStream(copy, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = (UnixFileMode)0b111_101_101 }))
            await from.CopyToAsync(to, 4096);
        using var measured = new MeasuredProcess(folder.FullName);
        var costs = new List<ProcessCost>();
        for (var i = 0; i < 5; i++)
            costs.Add(await measured.RunAsync([copy], Version, """{"cniVersion":"1.0.0"}"""));

        costs.Should().OnlyContain(c => c.ExitCode == 0 && c.Stdout.Contains("supportedVersions"));
        costs.Min(c => c.MinorFaults).Should().BePositive().And.BeLessThanOrEqualTo((long)(PageFaults * Tolerance));
    }
}
