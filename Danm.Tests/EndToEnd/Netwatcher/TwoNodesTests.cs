using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Netwatcher;

/// <summary>Two nodes on one wire, each a network namespace with a netwatcher of its own: what passes over the VxLANs that they make.</summary>
[TestFixture, Parallelizable]
public sealed class TwoNodesTests
{
    private const string OnSecond = "nsenter --net=/run/second";

    private HostNode first = null!;
    private string secondKubeconfig = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        first = await HostNode.StartAsync(new ApiServerOptions { Hosts = ["192.0.2.1"] });
        // Nothing asks for memberships on this wire, so its bridge must not wait for answers.
        await first.ShellAsync("""
            ip link set parent0 type bridge mcast_snooping 0
            ip address add 192.0.2.1/24 dev parent0
            touch /run/second && unshare --net=/run/second true
            ip link add to-second type veth peer name parent0 netns /run/second
            ip link set to-second master parent0 up
            nsenter --net=/run/second sh -e -c 'ip link set lo up; ip link set parent0 up; ip address add 192.0.2.2/24 dev parent0'
            """);
        first.Server.Store.Create(Objects.Node("node-2"));
        secondKubeconfig = first.WriteFile("second", first.KubeconfigText(new KubeconfigOptions { Host = "192.0.2.1" }));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (first is not null)
            await first.DisposeAsync();
    }

    [TearDown]
    public async Task Forget()
    {
        foreach (var enter in (string[])["", OnSecond])
            await first.ShellAsync($"for l in $({enter} ip -o link show type vxlan | cut -d: -f2); do {enter} ip link delete $l; done");
        await first.ResetAsync();
    }

    [Test]
    public async Task More_than_twenty_multicast_VxLANs_carry_traffic_at_once()
    {
        const int Networks = 25;
        for (var i = 0; i < Networks; i++)
            first.Server.Store.Create(Objects.Network("ClusterNetwork", $"m{i}", $$$"""{"NetworkID":"m{{{i}}}","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":{{{700 + i}}},"cidr":"10.70.{{{i}}}.0/24"}}"""));
        await using var here = NetwatcherProcess.Start(first.Enter, "--kubeconfig", first.Kubeconfig, "--node-name", "node-1");
        await using var there = StartSecond();
        foreach (var enter in (string[])["", OnSecond])
            await first.EventuallyAsync($"{enter} ip -o link show up type vxlan | wc -l", t => t.Trim().Should().Be($"{Networks}"));

        await first.ShellAsync($$"""
            for i in $(seq 0 {{Networks - 1}}); do ip address add 10.70.$i.1/24 dev vx_m$i; {{OnSecond}} ip address add 10.70.$i.2/24 dev vx_m$i; done
            """);
        var pings = await first.ShellAsync($$"""
            for i in $(seq 0 {{Networks - 1}}); do ping -c 2 -W 3 10.70.$i.2 >/run/ping.$i & done; wait
            grep -l ' 0% packet loss' /run/ping.* | wc -l
            """);
        pings.Trim().Should().Be($"{Networks}");

        var pod = await first.StartPodAsync(Objects.Pod("pod", """[{"clusterNetwork":"m24","ip":"10.70.24.11"}]"""));
        var call = pod.Call("ADD");
        (await first.CallAsync(call)).Succeeded();
        (await pod.RunAsync("ping -c 3 -W 3 10.70.24.2")).Should().Contain(" 0% packet loss", "a macvlan Pod of the first node reaches the second");
        (await first.CallAsync(call with { Command = "DEL" })).Succeeded();
    }

    [Test]
    public async Task One_that_the_original_made_is_adopted_without_losing_a_packet()
    {
        const string Original = "ip link add vx_radio type vxlan id 600 dev parent0 group 239.0.2.88 dstport 4789 learning l2miss l3miss local";
        await first.ShellAsync($"""
            {Original} 192.0.2.1 && ip link set vx_radio up && ip address add 10.60.0.1/24 dev vx_radio
            {OnSecond} {Original} 192.0.2.2 && {OnSecond} ip link set vx_radio up && {OnSecond} ip address add 10.60.0.2/24 dev vx_radio
            ping -c 1 -W 5 10.60.0.2
            """);
        first.Server.Store.Create(Objects.Network("ClusterNetwork", "radio", """{"NetworkID":"radio","Options":{"host_device":"parent0","vxlan":600}}"""));

        var pid = first.WriteFile("ping.pid", "");
        var ping = first.ShellAsync($"ping -i 0.01 -w 60 10.60.0.2 & echo $! >{pid}; wait $!");
        await using var here = NetwatcherProcess.Start(first.Enter, "--kubeconfig", first.Kubeconfig, "--node-name", "node-1");
        await using var there = StartSecond();
        foreach (var enter in (string[])["", OnSecond])
            await first.EventuallyAsync($"{enter} ip -o link show vx_radio", t => t.Should().Contain("alias danm:adopted:"), seconds: 5);

        ping.IsCompleted.Should().BeFalse("it runs all the while");
        await first.ShellAsync($"kill -INT $(cat {pid})");
        (await ping).Should().Contain(" 0% packet loss");
        first.Server.Store.Delete("danm.io/v1", "ClusterNetwork", null, "radio");
        await Task.Delay(TimeSpan.FromSeconds(3));
        (await first.ShellAsync("ip -o address show vx_radio")).Should().Contain("10.60.0.1", "an adopted one with addresses is its owner's still");
    }

    private NetwatcherProcess StartSecond() =>
        NetwatcherProcess.Start([.. first.Enter, "nsenter", "--net=/run/second"], "--kubeconfig", secondKubeconfig, "--node-name", "node-2");
}
