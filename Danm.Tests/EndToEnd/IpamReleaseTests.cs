using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary><c>danm ipam release</c> as an operator types it.</summary>
[TestFixture, Parallelizable]
public sealed class IpamReleaseTests : HostFixture
{
    [Test]
    public async Task An_address_whose_Pod_is_gone_is_released_with_the_DanmEp_that_points_to_it()
    {
        Allocate("10.1.0.5", "ens4", "gone");
        Allocate("10.1.0.6", "ens4", "other");

        var dry = await ReleaseAsync("10.1.0.5 --dry-run");
        dry.Should().Be((0, "ipallocation.danm.io/10-1-0-5.untagged.ens4 would be released (dry run): Pod default/gone (uid uid-gone, container c-gone, interface eth0, node node-1), which is gone\n", ""));
        node().Should().Be((2, 2));

        var done = await ReleaseAsync("10.1.0.5");
        done.ExitCode.Should().Be(0);
        done.Output.Should().Be(
            """
            danmep.danm.io/ep-gone of namespace default deleted: no Service sends to the address any more
            ipallocation.danm.io/10-1-0-5.untagged.ens4 released: it was of Pod default/gone (uid uid-gone, container c-gone, interface eth0, node node-1), which is gone

            """);
        Node.Objects("IPAllocation").Should().ContainSingle().Which["metadata"]!["name"]!.ToString().Should().Be("10-1-0-6.untagged.ens4");
        node().Should().Be((1, 1));

        (int Allocations, int Endpoints) node() => (Node.Objects("IPAllocation").Count, Node.Objects("DanmEp").Count);
    }

    [Test]
    public async Task Of_several_matches_none_is_released_and_each_is_named()
    {
        Allocate("10.1.0.5", "ens4", "one", network: "n1");
        Allocate("10.1.0.5", "ens5", "two", network: "n2");

        var (code, output, error) = await ReleaseAsync("10.1.0.5");
        code.Should().Be(1);
        output.Should().MatchRegex(@"^NAME +ADDRESS +NETWORK +POD +NODE\n10-1-0-5\.untagged\.ens4 +10\.1\.0\.5/24 +DanmNet/default/n1 +default/one +node-1\n10-1-0-5\.untagged\.ens5 ");
        error.Should().StartWith("error: 2 IPAllocations have 10.1.0.5, none is released. Next: ");
        Node.Objects("IPAllocation").Should().HaveCount(2);

        (await ReleaseAsync("10-1-0-5.untagged.ens5")).ExitCode.Should().Be(0);
        Left().Should().Equal("10-1-0-5.untagged.ens4");

        Allocate("10.1.0.5", "ens5", "three", network: "n2");
        (await ReleaseAsync("10.1.0.5 danmnet/n1 -n default")).ExitCode.Should().Be(0);
        Left().Should().Equal("10-1-0-5.untagged.ens5");
    }

    [Test]
    public async Task While_its_Pod_is_alive_it_takes_force()
    {
        var uid = (string)Node.Server.Store.Create(Objects.Pod("alive", null))["metadata"]!["uid"]!;
        Allocate("fd01::5", "ens4", "alive", uid: uid);

        var (code, output, error) = await ReleaseAsync("fd01::5");
        code.Should().Be(1);
        output.Should().BeEmpty();
        error.Should().Contain("is in use by Pod default/alive").And.Contain("which is alive").And.Contain("Next: delete that Pod");
        Left().Should().ContainSingle();

        (await ReleaseAsync("FD01::0:5 --force")).ExitCode.Should().Be(0);
        Left().Should().BeEmpty();
    }

    [Test]
    public async Task Of_an_owner_that_is_no_Pod_nobody_can_tell_so_it_takes_force()
    {
        Allocate("10.1.0.5", "ens4", "", uid: null);

        (await ReleaseAsync("10.1.0.5")).Error.Should().Contain("names no Pod that could be looked for").And.Contain("--force");
        Left().Should().ContainSingle();
        (await ReleaseAsync("10.1.0.5 --force")).ExitCode.Should().Be(0);
        Left().Should().BeEmpty();
    }

    [TestCase("10.1.0.9", 1, "error: no IPAllocation has 10.1.0.9")]
    [TestCase("10.1.0.5 ClusterNetwork/none", 1, "error: no IPAllocation has 10.1.0.5 of ClusterNetwork/none")]
    public async Task What_is_not_there_releases_nothing(string arguments, int code, string error)
    {
        Allocate("10.1.0.5", "ens4", "gone");

        var outcome = await ReleaseAsync(arguments);

        outcome.ExitCode.Should().Be(code);
        outcome.Error.Should().StartWith(error);
        Left().Should().ContainSingle();
    }

    private string[] Left() => [.. Node.Objects("IPAllocation").Select(a => (string)a["metadata"]!["name"]!)];

    private void Allocate(string address, string wire, string pod, string? uid = "", string network = "n")
    {
        uid = uid == "" ? $"uid-{pod}" : uid;
        var ipv6 = address.Contains(':');
        var spelled = ipv6 ? "fd01-0000-0000-0000-0000-0000-0000-0005" : address.Replace('.', '-');
        Node.Server.Store.Create(new JsonObject
        {
            ["apiVersion"] = "danm.io/v1", ["kind"] = "IPAllocation",
            ["metadata"] = new JsonObject { ["name"] = $"{spelled}.untagged.{wire}", ["labels"] = new JsonObject { ["danm.io/network"] = $"DanmNet.default.{network}" } },
            ["spec"] = new JsonObject
            {
                ["network"] = new JsonObject { ["kind"] = "DanmNet", ["namespace"] = "default", ["name"] = network },
                ["address"] = $"{address}/{(ipv6 ? 64 : 24)}", ["nodeName"] = "node-1",
                ["owner"] = pod == "" ? new JsonObject { ["containerID"] = "abc" } : new JsonObject
                {
                    ["namespace"] = "default", ["pod"] = pod, ["podUID"] = uid, ["containerID"] = $"c-{pod}", ["interface"] = "eth0", ["danmEp"] = $"ep-{pod}",
                },
            },
        });
        if (pod != "")
        {
            Node.Server.Store.Create(new JsonObject
            {
                ["apiVersion"] = "danm.io/v1", ["kind"] = "DanmEp", ["metadata"] = new JsonObject { ["name"] = $"ep-{pod}", ["namespace"] = "default" },
                ["spec"] = new JsonObject { ["NetworkName"] = network, ["NetworkType"] = "ipvlan", ["EndpointID"] = $"ep-{pod}", ["Pod"] = pod, ["PodUID"] = uid, ["CID"] = $"c-{pod}", ["Interface"] = new JsonObject { ["Name"] = "eth0" } },
            });
        }
    }

    private async Task<(int ExitCode, string Output, string Error)> ReleaseAsync(string arguments)
    {
        var code = await Node.ShellAsync($"{DanmBinary.Path} ipam release --kubeconfig {Node.Kubeconfig} {arguments} >/var/log/out 2>/var/log/err; echo $?");
        return (int.Parse(code), await Node.ShellAsync("cat /var/log/out"), await Node.ShellAsync("cat /var/log/err"));
    }
}
