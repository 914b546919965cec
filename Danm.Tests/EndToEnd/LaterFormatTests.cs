using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>A node that was taken back to this build from one that has written what this one must not act on.</summary>
[TestFixture, Parallelizable]
public sealed class LaterFormatTests : HostFixture
{
    [Test]
    public async Task DEL_and_GC_leave_its_sandbox_alone_until_the_later_build_is_back()
    {
        Node.Server.Store.Create(Objects.Network("DanmNet", "mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.1.0.0/24"}}"""));
        var pods = new List<Sandbox>();
        foreach (var name in (string[])["later", "other"])
        {
            pods.Add(await Node.StartPodAsync(Objects.Pod(name, """[{"network":"mv","ip":"dynamic"}]""")));
            (await pods[^1].AddAsync()).Succeeded();
        }

        var journal = $"/var/lib/cni/danm/sandboxes/{pods[0].Uid}_{pods[0].ContainerId}";
        await Node.ShellAsync($$"""cp {{journal}} {{journal}}.kept; tail -n 1 {{journal}} | sed 's/{/{"Needs":2,/' >>{{journal}}; mv {{journal}}.kept /var/lib/cni/danm/kept""");

        (await pods[0].DelAsync()).Failed(11).Msg.Should().Contain("is of a later Danm: it needs format 2, and this one reads up to 1. Install the later one on this node again");
        (await pods[0].CheckAsync()).Failed(11).Msg.Should().Contain("is of a later Danm");
        var gc = Node.Config("1.1.0");
        gc["cni.dev/valid-attachments"] = new JsonArray();
        (await Node.CallAsync(new CniCall("GC") { IfName = null, Config = gc })).Succeeded();

        Node.Objects("IPAllocation").Should().ContainSingle().Which["spec"]!["owner"]!["pod"]!.GetValue<string>().Should().Be("later");
        (await pods[0].RunAsync("ip -o link show type macvlan")).Should().Contain("eth0");

        await Node.ShellAsync($"mv /var/lib/cni/danm/kept {journal}");
        (await pods[0].DelAsync()).Succeeded();
        Node.Objects("IPAllocation").Should().BeEmpty();
    }
}
