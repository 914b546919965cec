using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>The installer's rights, and with the token that it got those of the plugin that it has installed.</summary>
[TestFixture("production"), TestFixture("lightweight"), Parallelizable]
public sealed class InstallerRightsTests(string mode) : RightsFixture(mode)
{
    private const string Primary = """
        {"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"bridge","bridge":"br0","isGateway":true,"ipam":{"type":"host-local","ranges":[[{"subnet":"10.7.0.0/24"}]],"dataDir":"/run/leases"}}]}
        """;

    private const string Folder = "net.d";

    [Test]
    public async Task Each_right_is_needed_and_all_are_enough()
    {
        // None runs here.
        Store.Delete("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", null, "danm-webhook-config");
        Directory.CreateDirectory(Node.PathOf(Folder));
        Node.WriteFile($"{Folder}/10-pods.conflist", Primary);
        await using (var installer = Start("danm-cni", "--cni-bin-dir", Node.PathOf("bin"), "--cni-conf-dir", Node.PathOf(Folder), "--host-cni-conf-dir", Node.PathOf(Folder)))
        {
            await installer.UntilReadyAsync();
            await installer.StopAsync();
        }

        ExpectRightsOf("danm-installer");

        await AttachAsync();
        Node.Objects().Should().BeEmpty();

        ExpectRightsOf("danm");
    }

    private async Task AttachAsync()
    {
        Store.Create(Objects.Network("ClusterNetwork", "small", """{"NetworkID":"small","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24","allocation_pool":{"start":"10.1.0.5","end":"10.1.0.5"}}}"""));
        OwnNetwork("own", """{"NetworkID":"own","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.2.0.0/24"}}""");
        var plain = await Node.StartPodAsync(Objects.Pod("plain", null, Namespace));
        // Routes that need a table and have none are skipped, and its Pod told.
        var both = await Node.StartPodAsync(Objects.Pod(
            "both", $$$"""[{"clusterNetwork":"small","ip":"dynamic"},{"{{{Mode.OwnNetworkKey}}}":"own","ip":"dynamic","proutes":{"10.9.0.0/16":"10.2.0.1"}}]""", Namespace));
        var late = await Node.StartPodAsync(Objects.Pod("late", """[{"clusterNetwork":"small","ip":"dynamic"}]""", Namespace));

        foreach (var pod in (Sandbox[])[plain, both])
            (await CallAsync(pod, "ADD")).Succeeded();
        (await CallAsync(late, "ADD")).ExitCode.Should().Be(1, "the pool has no address left");
        (await CallAsync(both, "CHECK", await ResultOfAsync(both))).Succeeded();
        foreach (var pod in (Sandbox[])[plain, both, late])
            (await CallAsync(pod, "DEL")).Succeeded();
    }

    private Dictionary<string, JsonObject> Results { get; } = [];

    private Task<JsonObject> ResultOfAsync(Sandbox pod) => Task.FromResult(Results[pod.Name]);

    private async Task<CniOutcome> CallAsync(Sandbox pod, string command, JsonObject? before = null)
    {
        var list = JsonNode.Parse(await File.ReadAllTextAsync(Node.PathOf($"{Folder}/00-danm.conflist")))!;
        var config = (JsonObject)list["plugins"]![0]!.DeepClone();
        config.Remove("capabilities");
        (config["name"], config["cniVersion"]) = (list["name"].String(), list["cniVersion"].String());
        if (before is not null)
            config["prevResult"] = before.DeepClone();
        var outcome = await Node.CallAsync(pod.Call(command) with { Config = config, Path = $"{Node.PathOf("bin")}:/usr/lib/cni" }, [Path.Combine(Node.PathOf("bin"), "danm")]);
        if (command == "ADD" && outcome.ExitCode == 0)
            Results[pod.Name] = outcome.Json;
        return outcome;
    }
}
