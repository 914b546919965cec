using System.Buffers.Binary;
using Danm.State;

namespace Danm.Tests.EndToEnd;

/// <summary>What ADDs count without a daemon, and that counting is never worth a failed ADD.</summary>
public sealed class CounterTests : HostFixture
{
    private const string File = "/var/lib/cni/danm/counters";

    [SetUp]
    public void Network() => Node.Server.Store.Create(Objects.Network("DanmNet", "n", """
        {"NetworkID":"n","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.6.0.0/24","allocation_pool":{"start":"10.6.0.1","end":"10.6.0.8"},"net6":"fd06::/64"}}
        """));

    [Test]
    public async Task Eight_processes_at_once_add_up_and_a_ninth_counts_the_full_pool()
    {
        var pods = new List<Sandbox>();
        for (var i = 0; i < 9; i++)
            pods.Add(await Node.StartPodAsync(Objects.Pod($"pod-{i}", """[{"network":"n","ip":"dynamic","ip6":"dynamic"}]""")));

        foreach (var added in await Task.WhenAll(pods.Take(8).Select(p => p.AddAsync())))
            added.Succeeded();
        var before = await ReadAsync();
        (await pods[8].AddAsync()).Failed(104);
        var after = await ReadAsync();

        var refused = Node.Server.Requests.Where("create").Count(r => r.Resource == "ipallocations" && r.Status == 409);
        before[(int)NodeCounter.Allocations].Should().Be(16);
        before[(int)NodeCounter.Exhausted].Should().Be(0);
        after[(int)NodeCounter.Exhausted].Should().Be(1);
        after[(int)NodeCounter.Conflicts].Should().Be(refused).And.BePositive("nine callers share eight addresses");
        after[(int)NodeCounter.Lists].Should().BePositive();
    }

    [TestCase("echo damaged >$F")]
    [TestCase("head -c 4096 /dev/zero | tr '\\0' x >$F")]
    [TestCase("mkdir $F")]
    [TestCase("ln -s /var/lib/cni/danm/elsewhere $F")]
    [TestCase("head -c 4096 /dev/zero >$F; chown 7 $F")]
    [TestCase("mkfifo $F")]
    public async Task A_file_that_is_not_what_it_should_be_breaks_no_ADD(string damage)
    {
        await Node.ShellAsync($"mkdir -p -m 0700 /var/lib/cni/danm; F={File}; {damage}");
        var before = await Node.ShellAsync($"stat -c '%F %s %u' {File}; ls /var/lib/cni/danm/elsewhere 2>/dev/null || true");
        var pod = await Node.StartPodAsync(Objects.Pod("a", """[{"network":"n","ip":"dynamic"}]"""));

        (await pod.AddAsync()).Succeeded();
        (await pod.DelAsync()).Succeeded();

        (await Node.ShellAsync($"stat -c '%F %s %u' {File}; ls /var/lib/cni/danm/elsewhere 2>/dev/null || true")).Should().Be(before);
    }

    private async Task<long[]> ReadAsync()
    {
        var content = Convert.FromHexString((await Node.ShellAsync($"od -An -v -tx1 {File} | tr -d ' \\n'")).Trim());
        return [.. Enumerable.Range(1, Enum.GetValues<NodeCounter>().Length).Select(i => BinaryPrimitives.ReadInt64LittleEndian(content.AsSpan(i * 8)))];
    }
}
