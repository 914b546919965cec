using System.Diagnostics;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Install;

/// <summary>A node's two folders, and a cluster in which the installer has the rights that manifests/ gives it, and no other.</summary>
public abstract class InstallFixture
{
    private protected const string Bridge = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[
          {"type":"bridge","bridge":"br0","ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}},
          {"type":"portmap","capabilities":{"portMappings":true},"snat":false},
          {"type":"bandwidth","capabilities":{"bandwidth":true}}]}
        """;

    private const string Token = "token-of-danm-installer";

    private DirectoryInfo folder = null!;

    private protected EmbeddedApiServer Server { get; private set; } = null!;

    private protected string BinDir => Path.Combine(folder.FullName, "bin");

    private protected string ConfDir => Path.Combine(folder.FullName, "net.d");

    private protected string Conflist => Path.Combine(ConfDir, "00-danm.conflist");

    private protected virtual TimeSpan? LongestTokenLife => null;

    [OneTimeSetUp]
    public void Require() => DanmBinary.Require();

    [SetUp]
    public async Task StartServer()
    {
        Server = await EmbeddedApiServer.StartAsync(new ApiServerOptions
        {
            EnforcesRbac = true,
            Manifests = [.. ((string[])["manifests/crds", "manifests/cni/plugin-rbac.yaml", "manifests/cni/installer-rbac.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
            Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-installer" },
            LongestTokenLife = LongestTokenLife,
        });
        Server.Store.Create(EndToEnd.Objects.Node("node-1"));
        Renew();
    }

    [TearDown]
    public async Task Rights_were_enough()
    {
        var refused = Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Distinct().ToList();
        await Server.DisposeAsync();
        folder.Delete(recursive: true);
        refused.Should().BeEmpty();
    }

    /// <summary>Empty folders, as of a new node.</summary>
    private protected void Renew()
    {
        if (folder is not null && Directory.Exists(folder.FullName))
            folder.Delete(recursive: true);
        folder = Directory.CreateTempSubdirectory("danm-install-");
        Directory.CreateDirectory(BinDir);
        Directory.CreateDirectory(ConfDir);
        File.WriteAllText(Path.Combine(folder.FullName, "kubeconfig"), Server.Kubeconfig(new KubeconfigOptions { Token = Token }));
    }

    private protected void Primary(string name = "10-pods.conflist", string content = Bridge) => File.WriteAllText(Path.Combine(ConfDir, name), content);

    private protected ModeProcess Start(params string[] arguments) => ModeProcess.Start("install", [.. Arguments(), .. arguments]);

    private protected IEnumerable<string> Arguments() =>
        ["--kubeconfig", Path.Combine(folder.FullName, "kubeconfig"), "--node-name", "node-1", "--cni-bin-dir", BinDir, "--cni-conf-dir", ConfDir, "--host-cni-conf-dir", ConfDir];

    private protected static async Task<(int Code, string Error)> RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var (error, output) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(1));
        await output;
        return (process.ExitCode, await error);
    }

    private protected Task<(int Code, string Error)> OnceAsync(params string[] arguments) => RunAsync([DanmBinary.Path, "install", "--once", .. Arguments(), .. arguments]);

    private protected static string Text(params string[] parts) => File.ReadAllText(Path.Combine(parts));

    /// <summary>What a kubelet and a runtime would stumble over at this moment; nothing is wrong when it is empty.</summary>
    private protected IEnumerable<string> Faults()
    {
        foreach (var path in Directory.EnumerateFiles(ConfDir).Where(f => Path.GetExtension(f) is ".conf" or ".conflist" or ".json"))
        {
            string text;
            try
            {
                text = File.ReadAllText(path);
            }
            catch (FileNotFoundException)
            {
                continue; // Gone between the list and the look.
            }

            JsonNode? list = null;
            try
            {
                list = JsonNode.Parse(text);
            }
            catch (System.Text.Json.JsonException)
            {
                // Told below.
            }

            if (list is null)
            {
                yield return $"{Path.GetFileName(path)} is no JSON: {text.Length} bytes";
                continue;
            }

            if (list.At("plugins", "0") is null && Path.GetFileName(path) != "00-danm.conflist")
                continue;
            foreach (var fault in FaultsOf(list["plugins"]![0]!))
                yield return fault;
        }
    }

    private IEnumerable<string> FaultsOf(JsonNode danm)
    {
        var (plugin, ipam, kubeconfig) = (Path.Combine(BinDir, "danm"), Path.Combine(BinDir, "fakeipam"), danm["kubeconfig"].String()!);
        if (!File.Exists(plugin) || (File.GetUnixFileMode(plugin) & UnixFileMode.UserExecute) == 0 || new FileInfo(plugin).Length != new FileInfo(DanmBinary.Path).Length)
            yield return "danm is missing or not whole";
        if (!File.Exists(ipam))
            yield return "fakeipam is missing or leads nowhere";
        if (!File.Exists(kubeconfig) || JsonNode.Parse(File.ReadAllText(kubeconfig))?["users"]?[0]?["user"]?["tokenFile"].String() is not { } tokenFile)
        {
            yield return "the kubeconfig is missing, or names no token";
            yield break;
        }

        var token = Path.Combine(Path.GetDirectoryName(kubeconfig)!, tokenFile);
        if (!File.Exists(token) || !Server.Tokens.ContainsKey(File.ReadAllText(token)))
            yield return "the token is missing or not good";
    }
}
