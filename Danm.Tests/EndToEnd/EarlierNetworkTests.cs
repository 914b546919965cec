using System.Text;

namespace Danm.Tests.EndToEnd;

/// <summary>DEL of a Pod that another network's plugins had attached before Danm was the node's network, which libcni's memory tells of.</summary>
[TestFixture, Parallelizable]
public sealed class EarlierNetworkTests : ScriptedDelegateFixture
{
    private const string Chain = """{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"before"},{"type":"behind","capabilities":{"portMappings":true}}]}""";

    [Test]
    public async Task Calls_its_plugins_as_the_runtime_would_have()
    {
        var (pod, file) = await StartedAsync("true", "true");

        (await DelAsync(pod)).Succeeded();

        (await CallsAsync()).Select(c => $"{c.Command} {c.Plugin}").Should().Equal("DEL behind", "DEL before");
        var config = await ConfigOfAsync("DEL", "behind");
        config["runtimeConfig"]!.ToJsonString().Should().Be("""{"portMappings":[{"hostPort":80}]}""");
        ((string?)config["prevResult"]!["ips"]![0]!["address"]).Should().Be("10.7.0.2/24");
        (await ExistsAsync(file)).Should().BeFalse();
        (await Node.StateAsync()).Should().BeEmpty();
        (await DelAsync(pod)).Succeeded();
        (await CallsAsync()).Should().HaveCount(2);
    }

    [Test]
    public async Task Without_a_namespace_it_gives_back_what_is_outside_of_it()
    {
        var (pod, file) = await StartedAsync("""test -z "$CNI_NETNS" """, "true");
        await pod.DeleteNamespaceAsync();

        (await DelAsync(pod)).Succeeded();

        (await ExistsAsync(file)).Should().BeFalse();
    }

    [TestCase("true", "echo '{\"code\":7,\"msg\":\"no lease\"}'; return 1", "no lease", Description = "the first")]
    [TestCase("echo '{\"code\":7,\"msg\":\"no rule\"}'; return 1", "true", "no rule", Description = "the last")]
    public async Task A_plugin_that_fails_is_called_again(string behind, string before, string said)
    {
        var (pod, file) = await StartedAsync(before, behind);

        var error = (await DelAsync(pod)).Failed(111).Msg;

        error.Should().Contain(said).And.Contain($"delete {file}");
        (await CallsAsync()).Should().HaveCount(2, "each has its turn");
        (await ExistsAsync(file)).Should().BeTrue();
        await DelegateScriptAsync("before", "false", "true");
        await DelegateScriptAsync("behind", "false", "true");
        (await DelAsync(pod)).Succeeded();
        (await ExistsAsync(file)).Should().BeFalse();
    }

    [Test]
    public async Task A_plugin_that_has_gone_with_its_network_keeps_no_Pod()
    {
        var (pod, file) = await StartedAsync("true", null);

        (await DelAsync(pod)).Succeeded();

        (await CallsAsync()).Select(c => c.Plugin).Should().Equal("before");
        (await LogAsync()).Should().MatchRegex($"warning \"what another network had attached before danm is not given back.*network=\"pods\" file=\"{file}\".*behind");
        (await ExistsAsync(file)).Should().BeTrue();
    }

    [Test]
    public async Task A_plugin_that_cannot_be_started_has_not_gone()
    {
        var (pod, file) = await StartedAsync("true", "true");
        await Node.ShellAsync("chmod 644 /run/plugins/behind");

        (await DelAsync(pod)).Failed(111).Msg.Should().Contain("behind");

        (await ExistsAsync(file)).Should().BeTrue();
    }

    [Test]
    public async Task A_file_that_stays_keeps_no_Pod()
    {
        var (pod, file) = await StartedAsync("true", "true");
        await Node.ShellAsync("mount --bind /var/lib/cni/results /var/lib/cni/results && mount -o remount,ro,bind /var/lib/cni/results");
        try
        {
            (await DelAsync(pod)).Succeeded();

            (await CallsAsync()).Should().HaveCount(2);
            (await LogAsync()).Should().MatchRegex($"warning \"[^\"]*cannot be removed.*file=\"{file}\"");
        }
        finally
        {
            await Node.ShellAsync("umount /var/lib/cni/results");
        }
    }

    private async Task<bool> ExistsAsync(string file) => await Node.ShellAsync($"test -e {file} && echo yes || true") != "";

    /// <summary>A Pod of which libcni remembers the chain's ADD, and the chain's DEL; null: that plugin is missing.</summary>
    private async Task<(Sandbox Pod, string File)> StartedAsync(string before, string? behind)
    {
        await DelegateScriptAsync("before", "false", before);
        if (behind is not null)
            await DelegateScriptAsync("behind", "false", behind);
        var pod = await PodAsync("[]");
        var (container, file) = (pod.Call("DEL").ContainerId, $"/var/lib/cni/results/pods-{pod.Call("DEL").ContainerId}-eth0");
        var config = Convert.ToBase64String(Encoding.UTF8.GetBytes(Chain));
        await Node.ShellAsync($$"""
            rm -rf /var/lib/cni/results; mkdir -p /var/lib/cni/results
            cat >{{file}} <<'FILE'
            {"kind":"cniCacheV1","containerId":"{{container}}","config":"{{config}}","ifName":"eth0","networkName":"pods","capabilityArgs":{"portMappings":[{"hostPort":80}] },
             "result":{"cniVersion":"1.0.0","ips":[{"address":"10.7.0.2/24"}]} }
            FILE
            """);
        return (pod, file);
    }
}
