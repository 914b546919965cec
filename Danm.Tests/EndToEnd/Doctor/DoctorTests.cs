using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Doctor;

/// <summary><c>danm doctor</c> on a healthy node of a healthy cluster, of which one thing after the other is broken and mended.</summary>
[TestFixture, Parallelizable]
public sealed class DoctorTests
{
    private HealthyCluster cluster = null!;

    [OneTimeSetUp]
    public async Task Start() => cluster = await HealthyCluster.StartAsync();

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (cluster is null)
            return;
        var result = await cluster.DoctorAsync("-o", "json");
        await cluster.DisposeAsync();
        result.Bad.Should().BeEmpty("all is mended");
    }

    [Test, Order(1)]
    public async Task A_healthy_installation_has_no_warning_and_nothing_is_changed()
    {
        cluster.Node.Server.Requests.Clear();

        var result = await cluster.DoctorAsync("-o", "json", "--strict");

        result.Bad.Should().BeEmpty();
        result.Lines.Where(l => l.StartsWith("skipped", StringComparison.Ordinal)).Should().BeEmpty();
        (result.Code, result.Error).Should().Be((0, ""));
        JsonNode.Parse(result.Output)!["checks"]!.AsArray().Select(c => c!["scope"].String()).Distinct().Should().Equal("node", "cluster");
        cluster.Node.Server.Requests.All.Where(r => r.Verb is not ("get" or "list") && !r.Query.Contains("dryRun=All") && !r.Path.StartsWith("/apis/authorization.k8s.io/", StringComparison.Ordinal))
            .Where(r => !r.User.Contains("webhook", StringComparison.Ordinal)).Select(r => $"{r.Verb} {r.Path}").Should().BeEmpty();
    }

    private static IEnumerable<TestCaseData> Breakages() =>
        NodeBreakages.All().Concat(ClusterBreakages.All()).Select(b => new TestCaseData(b) { TestName = $"It says so when {b.Name}" });

    [TestCaseSource(nameof(Breakages))]
    public async Task It_says_what_is_wrong(object breakage)
    {
        var broken = (Breakage)breakage;
        var mend = await broken.Break(cluster);
        try
        {
            var result = await cluster.DoctorAsync("-o", "json");

            result.Lines.Should().Contain(l => System.Text.RegularExpressions.Regex.IsMatch(l, broken.Expected), "that is broken");
            result.Lines.Where(l => l.Split(' ')[0] is "warning" or "failed" && l.EndsWith("→ ", StringComparison.Ordinal)).Should().BeEmpty("each says what to do");
            result.Code.Should().Be(result.Bad.Any(l => l.StartsWith("failed", StringComparison.Ordinal)) ? 1 : 0);
        }
        finally
        {
            await mend();
        }
    }

    [Test]
    public async Task A_kind_of_interface_that_the_kernel_lacks_fails_only_if_a_network_needs_it()
    {
        if (!(await cluster.DoctorAsync("-o", "json", "--node")).Lines.Any(l => l.StartsWith("info node-kernel: the kernel cannot make ipvlan interfaces; no network needs them", StringComparison.Ordinal)))
            DanmBinary.Lacks("this kernel has ipvlan: what it lacks cannot be seen");
        var mend = cluster.Add(Objects.Network("ClusterNetwork", "iv", """{"NetworkID":"iv","NetworkType":"ipvlan","Options":{"host_device":"parent0"}}"""));
        try
        {
            (await cluster.DoctorAsync("-o", "json", "--node")).Bad.Should().ContainSingle().Which.Should().StartWith("failed node-kernel: the kernel cannot make ipvlan interfaces, which ClusterNetwork/iv needs");
        }
        finally
        {
            mend();
        }
    }

    [Test]
    public async Task The_table_has_a_row_a_finding_and_no_foreign_control_character()
    {
        var mend = cluster.Change("apps/v1", "DaemonSet", HealthyCluster.System, "danm-cni", o => o.At("spec", "template", "spec", "containers")![0]!["image"] = "evil\u001b[31m\u202e");
        try
        {
            var table = await cluster.DoctorAsync();
            table.Output.Should().MatchRegex("^STATUS +CHECK +FOUND +WHAT TO DO\n").And.NotContain("\u001b").And.NotContain("\u202e");
            table.Output.Should().MatchRegex(@"(?m)^warning +cluster-workloads +the components are of different images: .*'evil\\u001b\[31m\\u202e'");
            table.Output.Should().MatchRegex(@"(?m)^ok +node-plugin ");
            table.Error.Should().MatchRegex(@"^\d+ checks: 1 warning, (\d+ info, )?\d+ ok\n$");
            table.Code.Should().Be(0);
            (await cluster.DoctorAsync("--strict", "--no-headers")).Should().Match<DoctorResult>(r => r.Code == 1 && !r.Output.Contains("STATUS"));
            (await cluster.DoctorAsync("-o", "json")).Output.Should().NotContain("\u001b").And.NotContain("\u202e");
            (await cluster.DoctorAsync("-o", "yaml")).Output.Should().Contain("status: \"warning\"").And.NotContain("\u001b");
        }
        finally
        {
            mend();
        }
    }

    [Test]
    public async Task Scopes_choose_the_checks_and_a_wrong_flag_is_a_usage_error()
    {
        (await cluster.DoctorAsync("--cluster", "--no-headers")).Output.Should().NotContain("node-cni-conf").And.Contain("cluster-crds");
        (await cluster.DoctorAsync("--node", "--no-headers")).Output.Should().Contain("node-cni-conf").And.Contain("cluster-server").And.NotContain("cluster-crds");
        (await HealthyCluster.RunAsync([.. cluster.Node.Enter, DanmBinary.Path, "doctor", "--kubeconfig", cluster.Node.Kubeconfig, "--cni-conf-dir", "/nonexistent"])).Output.Should().NotContain("node-cni-conf", "Danm is not on this machine");
        (await cluster.DoctorAsync("-o", "xml")).Code.Should().Be(2);
    }

    [Test]
    public async Task Who_may_see_nothing_is_told_so_and_that_is_no_failure_unless_strict()
    {
        var kubeconfig = cluster.Node.WriteFile("nobody", cluster.Node.KubeconfigText(new KubeconfigOptions { Token = HealthyCluster.Nobody }));

        var result = await cluster.DoctorAsync("--kubeconfig", kubeconfig, "-o", "json");

        result.BadOnAnyKernel.Should().BeEmpty();
        result.Lines.Should().Contain(l => l.StartsWith("ok cluster-server: ", StringComparison.Ordinal));
        result.Lines.Where(l => l.Contains(" cluster-") && !l.Contains(" cluster-server")).Should().NotBeEmpty().And.OnlyContain(l => l.StartsWith("skipped ") && l.Contains("no right to look: ") && l.EndsWith("run it with an administrator's kubeconfig"));
        result.Code.Should().Be(0);
        (await cluster.DoctorAsync("--kubeconfig", kubeconfig, "--strict")).Code.Should().Be(1);
    }

    [Test]
    public async Task Root_on_a_node_needs_no_kubeconfig_of_his_own()
    {
        var result = await HealthyCluster.RunAsync([.. cluster.Node.Enter, "env", "-u", "KUBECONFIG", "HOME=/nonexistent", DanmBinary.Path, "doctor", "--cni-bin-dir", cluster.Bin, "--cni-conf-dir", cluster.Conf, "-o", "json"]);

        result.BadOnAnyKernel.Should().BeEmpty();
        result.Lines.Should().Contain(l => l.StartsWith("ok node-rights: the plugin has all 14 rights")).And.Contain(l => l.StartsWith("skipped cluster-rbac: no right to look"));
        result.Code.Should().Be(0);
    }

    [Test]
    public async Task Without_an_API_server_one_check_says_so_and_what_is_local_is_checked_all_the_same()
    {
        var kubeconfig = cluster.Node.WriteFile("away", Kubeconfig.Write(new Uri("https://127.0.0.1:1"), cluster.Node.Server.CertificateAuthority.Pem, new KubeconfigOptions { Token = "x" }));

        var result = await cluster.DoctorAsync("--kubeconfig", kubeconfig, "-o", "json");

        result.BadOnAnyKernel.Should().ContainSingle().Which.Should().StartWith("failed cluster-server: GET https://127.0.0.1:1/version: ");
        result.Lines.Where(l => l.StartsWith("skipped cluster-")).Should().NotBeEmpty().And.OnlyContain(l => l.Contains("the API server cannot be asked: see cluster-server"));
        result.Lines.Should().Contain(l => l.StartsWith("ok node-plugin: "));
        result.Code.Should().Be(1);
        (await cluster.DoctorAsync("--kubeconfig", "/nonexistent", "-o", "json")).BadOnAnyKernel.Should().ContainSingle().Which.Should().StartWith("failed cluster-server: cannot read kubeconfig \"/nonexistent\"");
    }

    [Test]
    public async Task It_is_a_command_of_kubectl_too()
    {
        var link = cluster.Node.PathOf("kubectl-danm");
        File.CreateSymbolicLink(link, DanmBinary.Path);

        (await HealthyCluster.RunAsync([.. cluster.Node.Enter, link, "doctor", "--cluster", "--kubeconfig", cluster.Node.Kubeconfig])).Code.Should().Be(0);
    }
}
