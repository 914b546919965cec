#load image.cake
#load sbom.cake
using System.Text.RegularExpressions;
using System.Xml.Linq;

var target = Argument("target", "Build");
var runtime = Argument("runtime", "linux-x64");
var filter = Argument("filter", "");
var only = Argument("only", "");
var plot = Argument("plot", "");
var foreign = Argument("arm64-libraries", "/usr/local/arm64");

var artifacts = Directory("artifacts");
var binary = artifacts + File(runtime == "linux-x64" ? "danm" : $"danm-{runtime}");
var architecture = runtime == "linux-x64" ? "amd64" : "arm64";
var bill = artifacts + File(runtime == "linux-x64" ? "danm-sbom.json" : $"danm-{runtime}-sbom.json");
var imageName = Argument("image", "localhost/danm");
var imageFile = Argument("archive", $"{artifacts}/danm-image-{architecture}.tar");
var summary = "";

Task("Clean").Does(() =>
{
    CleanDirectory(artifacts);
    CleanDirectories("Danm*/bin");
    CleanDirectories("Danm*/obj");
});

Task("Build").Does(() => DotNet("build Danm.slnx -c Release -v q"));

Task("Publish").Description("The static executable, at artifacts/danm, and its bill of materials").Does(() =>
{
    if (IsUpToDate())
    {
        Information($"{binary} is up to date");
        return;
    }

    Information($"Publishing {binary}: native compilation takes one to four minutes");
    var log = new List<string>();
    var (environment, properties) = CrossCompilation();
    var commit = Commit();
    // The OpenSSL shim is compiled here, and has the names of its sources in it.
    environment["CFLAGS"] = $"{environment.GetValueOrDefault("CFLAGS")} -ffile-prefix-map={Packages}=/packages/";
    var watch = System.Diagnostics.Stopwatch.StartNew();
    int exit;
    // Without a symbol file: the assembly's identity would be that file's, too, which has folders in it, and classes in a generator's random order.
    using (Progress("compiling"))
        exit = Run("dotnet", $"publish Danm/Danm.csproj -c Release -r {runtime} -o {artifacts}/publish-{runtime} -v m -p:DebugType=none -p:SourceRevisionId={commit}{properties}", log.Add, environment);
    // The linker says of every static program that names are resolved by the libc it was built with; docs/performance.md says why that holds.
    var warnings = log.Where(l => Regex.IsMatch(l, @"warning (IL|CS|CA|NU)\d+")).Distinct().ToList();
    if (exit != 0 || warnings.Count > 0)
        throw new CakeException($"publish failed:\n{string.Join('\n', exit != 0 ? log : warnings)}");
    if (Run(IsCross ? "aarch64-linux-gnu-strip" : "strip", $"-o {binary} {artifacts}/publish-{runtime}/danm", Console.WriteLine) != 0)
        throw new CakeException("strip failed");
    WriteBillOfMaterials(commit);
    Information($"{binary}: {new FileInfo(binary).Length / 1e6:0.0} MB after {watch.Elapsed.TotalSeconds:0} s");
});

Task("Image").Description("The container image as an archive, at artifacts/danm-image-amd64.tar; --image=NAME, --archive=FILE").IsDependentOn("Publish").Does(() =>
{
    var made = JsonNode.Parse(System.IO.File.ReadAllText(bill))["metadata"];
    var image = new ImageArchive(architecture, DateTimeOffset.Parse((string)made["timestamp"]));
    foreach (var folder in (string[])["cni", "etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/local", "usr/local/bin", "usr/share", "usr/share/doc", "usr/share/doc/danm"])
        image.AddFolder(folder);
    image.AddFile("usr/local/bin/danm", binary, executable: true);
    foreach (var name in (string[])["fakeipam", "kubectl-danm", "netwatcher", "svcwatcher", "webhook"])
        image.AddLink($"usr/local/bin/{name}", "danm");
    foreach (var name in (string[])["danm", "fakeipam"])
        image.AddLink($"cni/{name}", "../usr/local/bin/danm");
    image.AddFile("usr/share/doc/danm/LICENSE", "LICENSE");
    image.AddFile("usr/share/doc/danm/danm.cdx.json", bill);

    var version = (string)made["component"]["version"];
    var labels = new JsonObject
    {
        ["org.opencontainers.image.title"] = "danm",
        ["org.opencontainers.image.description"] = "Network management for Kubernetes Pods with several interfaces",
        ["org.opencontainers.image.version"] = version,
        ["org.opencontainers.image.created"] = (string)made["timestamp"],
        ["org.opencontainers.image.licenses"] = "BSD-3-Clause",
    };
    if (made["component"]["pedigree"] is { } pedigree)
        labels["org.opencontainers.image.revision"] = (string)pedigree["commits"][0]["uid"];
    var digest = image.Write(imageFile, imageName, version, new JsonObject
    {
        ["User"] = "65532:65532",
        ["Env"] = new JsonArray("PATH=/usr/local/bin"),
        ["Entrypoint"] = new JsonArray("/usr/local/bin/danm"),
        ["WorkingDir"] = "/",
        ["Labels"] = labels,
    });
    Information($"{imageFile}: {imageName}:{version}, {digest}, {new FileInfo(imageFile).Length / 1e6:0.0} MB");
});

Task("Test").Description("All tests; the last line counts them").IsDependentOn("Image").Does(() =>
{
    var results = artifacts + Directory("test-results");
    CleanDirectory(results);
    DotNet("build Danm.Tests/Danm.Tests.csproj -v q");
    var only = filter == "" ? "" : $" --filter \"{filter}\"";
    var exit = Run("dotnet", $"test Danm.Tests/Danm.Tests.csproj --no-build --logger trx --results-directory {results} --logger console;verbosity=minimal{only}", Console.WriteLine);
    var (passed, failed, skipped) = Count(results);
    summary = $"{passed} passed, {failed} failed, {skipped} skipped";
    if (exit != 0 || failed > 0 || passed == 0)
    {
        Console.WriteLine(summary);
        throw new CakeException(passed == 0 ? "no test ran" : "tests failed");
    }
});

Task("Demo").Description("Two Pods, two networks, no cluster").IsDependentOn("Publish").Does(() =>
{
    var log = new List<string>();
    int exit;
    using (Progress("building the demo"))
        exit = Run("dotnet", "build Danm.Tests/Danm.Tests.csproj -v q", log.Add);
    if (exit != 0)
        throw new CakeException($"build failed:\n{string.Join('\n', log)}");
    DotNet("run --no-build --project Danm.Tests -- demo");
});

Task("Benchmark").Description("Figures of the executable and of IPAM; --only=processes|ipam|node|webhook|svcwatcher, --plot=FILE").IsDependentOn("Publish").Does(() =>
    DotNet($"run --project Danm.Tests -c Release -- benchmark {only}{(plot == "" ? "" : $" --plot {plot}")}"));

Task("Docs").Description("docs/api.md, from manifests/crds").Does(() => DotNet("run --project Danm.Tests -- api-reference"));

Task("Soak").Description("Ten minutes of churn for netwatcher; --seconds=N").IsDependentOn("Publish").Does(() =>
{
    Environment.SetEnvironmentVariable("DANM_SOAK_SECONDS", Argument("seconds", "600"));
    DotNet("build Danm.Tests/Danm.Tests.csproj -v q");
    DotNet("test Danm.Tests/Danm.Tests.csproj --no-build --filter FullyQualifiedName~SoakTests --logger console;verbosity=normal");
});

Task("Kubernetes").Description("Definitions, manifests and policies before Kubernetes' own code, by Debian's packages; as root").Does(() =>
{
    var parts = MakeAbsolute(artifacts + Directory("kubernetes"));
    if (Run("bash", $"Danm.Tests/Deployment/Kubernetes/assets.sh {parts}", Console.WriteLine) != 0)
        throw new CakeException("Kubernetes' code could not be built");
    DotNet("build Danm.Tests/Danm.Tests.csproj -v q");
    DotNet($"run --no-build --project Danm.Tests -- kubernetes-input {parts}/input");
    if (Run($"{parts}/judge", $"{parts}/input", Console.WriteLine) != 0)
        throw new CakeException("Kubernetes does not agree");
    Environment.SetEnvironmentVariable("PATH", $"{parts}/bin:{EnvironmentVariable("PATH")}");
    DotNet("test Danm.Tests/Danm.Tests.csproj --no-build --filter FullyQualifiedName~KubectlTests|FullyQualifiedName~Kubectl_builds_the_same|FullyQualifiedName~ApplyTests --logger console;verbosity=minimal");
    Environment.SetEnvironmentVariable("KUBEBUILDER_ASSETS", parts.FullPath);
    DotNet("test Danm.Tests/Danm.Tests.csproj --no-build --filter FullyQualifiedName~CrdServerTests --logger console;verbosity=minimal");
});

Teardown(_ =>
{
    // Cake prints its own summary before; CI reads the last line.
    if (summary != "")
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Console.WriteLine(summary);
});

RunTarget(target);

bool IsCross => runtime == "linux-arm64" && System.Runtime.InteropServices.RuntimeInformation.OSArchitecture != System.Runtime.InteropServices.Architecture.Arm64;

// The executable carries the manifests.
bool IsUpToDate() => FileExists(binary) && FileExists(bill)
    && ((string[])["Danm/**/*.cs", "Danm/*.csproj", "manifests/**/*.yaml", "*.props", "*.cake", "global.json"]).SelectMany(p => GetFiles(p))
    .Where(f => !f.FullPath.Contains("/obj/") && !f.FullPath.Contains("/bin/"))
    .All(f => System.IO.File.GetLastWriteTimeUtc(f.FullPath) <= System.IO.File.GetLastWriteTimeUtc(binary));

string Packages => Output("dotnet", ["nuget", "locals", "global-packages", "--list", "--force-english-output"]).Split(": ")[^1].TrimEnd('/') + "/";

// What the executable says it was built from.
string Commit() => Output("git", ["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]);

// The time that everything has which carries one.
DateTimeOffset CommitTime() =>
    DateTimeOffset.FromUnixTimeSeconds(long.TryParse(EnvironmentVariable("SOURCE_DATE_EPOCH") ?? Output("git", ["log", "-1", "--format=%ct"]), out var seconds) ? seconds : 0);

void WriteBillOfMaterials(string commit)
{
    var native = $"Danm/obj/Release/net10.0/{runtime}/native";
    var compiled = System.IO.File.ReadLines($"{native}/danm.ilc.rsp").Where(l => l.StartsWith("-r:")).Select(l => l[3..]);
    // "danm: FILE FILE ...", continued over lines; what follows has a line for each file.
    var linked = Regex.Match(System.IO.File.ReadAllText($"{native}/danm.d").Replace("\\\n", " "), "^[^:]+:(.*)").Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
    var version = XDocument.Load("Directory.Build.props").Descendants("Version").First().Value;
    var document = new BillOfMaterials(Packages, IsCross ? System.IO.Path.GetFullPath(foreign) : "", IsCross ? "aarch64-linux-gnu-ld" : "ld", Output).Of(binary, version, commit, CommitTime(), compiled.Concat(linked.Select(f => System.IO.Path.Combine("Danm", f))));
    System.IO.File.WriteAllText(bill, document.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
}

// From x64 to arm64: clang compiles the OpenSSL shim for the other machine, and links what was unpacked for it (docs/development.md).
(Dictionary<string, string> Environment, string Properties) CrossCompilation()
{
    if (!IsCross)
        return ([], "");
    var libraries = foreign + "/usr/lib/aarch64-linux-gnu";
    if (!System.IO.File.Exists($"{libraries}/libssl.a"))
        throw new CakeException($"{libraries}/libssl.a is missing: docs/development.md says how to get the libraries of arm64");
    var headers = $"{foreign}/usr/include";
    return (new()
    {
        ["CC"] = "clang",
        ["CFLAGS"] = $"--target=aarch64-linux-gnu -isystem {headers} -isystem {headers}/aarch64-linux-gnu",
        ["LDFLAGS"] = $"-L{libraries}",
        ["OPENSSL_ROOT_DIR"] = $"{foreign}/usr",
        ["CMAKE_INCLUDE_PATH"] = headers,
        ["CMAKE_LIBRARY_PATH"] = libraries,
    }, $" -p:ForeignLibraries={libraries}");
}

// On a terminal a line that counts seconds, until it is disposed of; nothing elsewhere.
IDisposable Progress(string what)
{
    if (Console.IsOutputRedirected)
        return null;
    var watch = System.Diagnostics.Stopwatch.StartNew();
    return new Ticker(new System.Threading.Timer(_ => Console.Write($"\r{what}: {watch.Elapsed.TotalSeconds:0} s "), null, 1000, 1000));
}

void DotNet(string arguments)
{
    if (Run("dotnet", arguments, Console.WriteLine) != 0)
        throw new CakeException($"dotnet {arguments.Split(' ')[0]} failed");
}

// What it prints; nothing where it fails.
string Output(string program, string[] arguments)
{
    try
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : "";
    }
    catch (System.ComponentModel.Win32Exception)
    {
        return "";
    }
}

int Run(string program, string arguments, Action<string> line, IDictionary<string, string> environment = null)
{
    var settings = new ProcessSettings { Arguments = arguments, RedirectStandardOutput = line != Console.WriteLine, RedirectStandardError = false };
    settings.EnvironmentVariables = environment;
    // Cake's own enumeration of the output spins, on a machine where the compiler needs every cycle.
    if (settings.RedirectStandardOutput)
    {
        settings.RedirectedStandardOutputHandler = text =>
        {
            if (text is not null)
                line(text);
            return text;
        };
    }

    using var process = StartAndReturnProcess(program, settings);
    process.WaitForExit();
    return process.GetExitCode();
}

(int Passed, int Failed, int Skipped) Count(DirectoryPath results)
{
    var (passed, failed, skipped) = (0, 0, 0);
    foreach (var file in GetFiles($"{results}/*.trx"))
    {
        var counters = XDocument.Load(file.FullPath).Descendants().First(e => e.Name.LocalName == "Counters");
        int Of(string name) => (int?)counters.Attribute(name) ?? 0;
        passed += Of("passed");
        failed += Of("failed") + Of("error") + Of("timeout") + Of("aborted");
        skipped += Of("total") - Of("passed") - Of("failed") - Of("error") - Of("timeout") - Of("aborted");
    }

    return (passed, failed, skipped);
}

sealed class Ticker(System.Threading.Timer timer) : IDisposable
{
    public void Dispose()
    {
        using var stopped = new System.Threading.ManualResetEvent(false);
        timer.Dispose(stopped);
        stopped.WaitOne();
        Console.Write($"\r{new string(' ', 40)}\r");
    }
}
