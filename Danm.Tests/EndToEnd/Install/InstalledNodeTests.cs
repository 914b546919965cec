using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Install;

/// <summary>
/// A node as a runtime finds it after the installer: the first configuration of the folder, its plugins and its token, with the rights that
/// manifests/ gives the CNI plugin. The installer is not there any more.
/// </summary>
[TestFixture]
public sealed class InstalledNodeTests : HostFixture
{
    private const string Token = "token-of-danm-installer";

    private const string Primary = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[
          {"type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}},
          {"type":"portmap","capabilities":{"portMappings":true},"snat":false},
          {"type":"bandwidth","capabilities":{"bandwidth":true}}]}
        """;

    private protected override ApiServerOptions Options => new()
    {
        EnforcesRbac = true,
        Manifests = [.. ((string[])["manifests/cni/plugin-rbac.yaml", "manifests/cni/installer-rbac.yaml"]).Select(m => Path.Combine(DanmBinary.Repository, m))],
        Tokens = new Dictionary<string, string> { [Token] = "system:serviceaccount:kube-system:danm-installer" },
    };

    [Test]
    public async Task Pods_that_ask_for_nothing_get_the_primary_network_with_hostPort_and_bandwidth_and_others_what_they_ask_for()
    {
        var (bin, conf) = (Node.PathOf("bin"), Node.PathOf("net.d"));
        Directory.CreateDirectory(conf);
        Node.WriteFile("net.d/10-pods.conflist", Primary);
        Node.WriteFile("installer", Node.KubeconfigText(new KubeconfigOptions { Token = Token }));
        await Node.ShellAsync($"{DanmBinary.Path} install --once --kubeconfig {Node.PathOf("installer")} --node-name node-1 --cni-bin-dir {bin} --cni-conf-dir {conf} --host-cni-conf-dir {conf}");
        Node.Server.Store.Create(Objects.Network("ClusterNetwork", "mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""));

        var plain = await Node.StartPodAsync(Objects.Pod("plain", null));
        var result = (await CallAsync(plain, "ADD")).Succeeded().Json;

        ((string)result["ips"]![0]!["address"]!).Should().StartWith("10.7.0.");
        (await Node.ShellAsync("nft list ruleset; iptables-save 2>/dev/null; true")).Should().Contain("8080", "hostPort works as before");
        (await Node.ShellAsync("tc qdisc show")).Should().Contain("tbf", "bandwidth works as before");
        var both = await Node.StartPodAsync(Objects.Pod("both", """[{"clusterNetwork":"default"},{"clusterNetwork":"mv","ip":"dynamic"}]"""));
        (await CallAsync(both, "ADD")).Succeeded().Json["ips"]!.AsArray().Select(i => ((string)i!["address"]!)[..5]).Should().Equal("10.7.", "10.1.");
        Node.Objects("IPAllocation").Single().At("spec", "nodeName").String().Should().Be("node-1");

        foreach (var pod in (Sandbox[])[plain, both])
            (await CallAsync(pod, "DEL")).Succeeded();
        Node.Objects().Should().BeEmpty();
        (await Node.ShellAsync("nft list ruleset; iptables-save 2>/dev/null; true")).Should().NotContain("8080");
        Node.Server.Requests.All.Where(r => r.Status == 403).Select(r => $"{r.User} {r.Verb} {r.Path}").Should().BeEmpty("the rights of manifests/ are enough");
        Node.Server.Requests.All.Select(r => r.User).Should().Contain("system:serviceaccount:kube-system:danm");

        Task<CniOutcome> CallAsync(Sandbox pod, string command)
        {
            // As libcni does: the list's name and version, and of runtimeConfig what the plugin declares.
            var list = JsonNode.Parse(File.ReadAllText(Directory.EnumerateFiles(conf).Order(StringComparer.Ordinal).First()))!;
            var config = (JsonObject)list["plugins"]![0]!.DeepClone();
            var offered = JsonNode.Parse("""{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}],"bandwidth":{"ingressRate":1000000,"ingressBurst":1000000},"mac":"02:00:00:00:00:01"}""")!;
            config["runtimeConfig"] = new JsonObject(config["capabilities"]!.AsObject().Where(c => c.Value!.GetValue<bool>()).Select(c => KeyValuePair.Create(c.Key, offered[c.Key]?.DeepClone())));
            config.Remove("capabilities");
            (config["name"], config["cniVersion"]) = (list["name"].String(), list["cniVersion"].String());
            var call = pod.Call(command) with { Config = config, Path = $"{bin}:/usr/lib/cni" };
            return Node.CallAsync(call, [Path.Combine(bin, "danm")]);
        }
    }
}
