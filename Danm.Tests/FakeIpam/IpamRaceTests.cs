using System.Diagnostics;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.FakeIpam;

/// <summary>Many containers at once want addresses of one network, each through a macvlan of its own.</summary>
public sealed class IpamRaceTests : NetworkIpamFixture
{
    private const int Count = 200;

    [TestCase(16)]
    [TestCase(64)]
    public async Task Two_hundred_ADDs_so_many_at_a_time_give_each_its_own_address_and_DEL_leaves_nothing(int atOnce)
    {
        Network(""" "cidr":"10.9.0.0/16" """);
        var runtime = Plain();
        var containers = await ContainersAsync();
        var load = (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0];
        // The first call of all waits for the server's and the disk's first time.
        (await runtime.AddAsync(containers[0])).Succeeded();
        (await runtime.DelAsync(containers[0])).Succeeded();

        var (added, adding) = await AtOnceAsync(atOnce, containers, c => runtime.AddAsync(c));

        var addresses = added.Select(a => AddressesOf(a).Single()).ToList();
        addresses.Should().OnlyHaveUniqueItems().And.HaveCount(Count);
        Node.Objects("IPAllocation").Select(o => (string)o["spec"]!["address"]!).Should().BeEquivalentTo(addresses);
        var interfaces = await InterfacesAsync(containers);
        foreach (var (container, address) in containers.Zip(addresses))
            interfaces.Should().Contain($"{container.NetnsName} {address}");

        var (deleted, deleting) = await AtOnceAsync(atOnce, containers, c => runtime.DelAsync(c));

        foreach (var one in deleted)
            one.Succeeded();
        await ExpectNothingLeftAsync();
        (await InterfacesAsync(containers)).Trim().Should().BeEmpty();
        await TestContext.Progress.WriteLineAsync(
            $"macvlan + fakeipam, plain conflist, {atOnce} at a time: {Count} ADDs in {adding.Wall.TotalSeconds:0.0} s, {Count} DELs in {deleting.Wall.TotalSeconds:0.0} s; "
            + $"CPU of both plugins {adding.Cpu.TotalMilliseconds / Count:0} ms an ADD, {deleting.Cpu.TotalMilliseconds / Count:0} ms a DEL; load before {load}");
    }

    private async Task<IReadOnlyList<Sandbox>> ContainersAsync()
    {
        var containers = Enumerable.Range(0, Count).Select(i => new Sandbox(Node, "default", $"c{i}", "")).ToList();
        await Node.ShellAsync($"for n in {string.Join(' ', containers.Select(c => c.NetnsName))}; do ip netns add $n; done");
        return containers;
    }

    private static async Task<(CniOutcome[] Outcomes, (TimeSpan Wall, TimeSpan Cpu) Cost)> AtOnceAsync(int atOnce, IReadOnlyList<Sandbox> containers, Func<Sandbox, Task<CniOutcome>> call)
    {
        using var gate = new SemaphoreSlim(atOnce);
        var (watch, cpu) = (Stopwatch.StartNew(), CpuOfChildren());
        var outcomes = await Task.WhenAll(containers.Select(async container =>
        {
            await gate.WaitAsync();
            try
            {
                return await call(container);
            }
            finally
            {
                gate.Release();
            }
        }));
        return (outcomes, (watch.Elapsed, CpuOfChildren() - cpu));
    }

    /// <summary>Of all processes that this one has waited for, and that those had: cutime and cstime of proc_pid_stat(5), in ticks of 10 ms.</summary>
    private static TimeSpan CpuOfChildren()
    {
        var fields = File.ReadAllText("/proc/self/stat").Split(") ")[^1].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[13]) + long.Parse(fields[14])));
    }

    /// <summary>A line for each address of an eth0: namespace, address.</summary>
    private Task<string> InterfacesAsync(IReadOnlyList<Sandbox> containers) => Node.ShellAsync(
        $$"""for n in {{string.Join(' ', containers.Select(c => c.NetnsName))}}; do ip -n $n -o -4 address show dev eth0 2>/dev/null | awk -v n=$n '{ print n, $4 }'; done""");
}
