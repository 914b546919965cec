using System.Diagnostics.Metrics;
using Danm.Ipam;
using Danm.Ipam.Usage;
using Danm.State;
using Danm.Tests.State;

namespace Danm.Tests.Ipam;

public sealed class IpamMetricsTests : IpamFixture
{
    [Test]
    public async Task Pools_are_gauges_and_what_calls_counted_are_counters()
    {
        using var state = new TemporaryState();
        Directory.CreateDirectory(state.Node.Folder);
        state.Node.Counters.Add((NodeCounter.Allocations, 7), (NodeCounter.Conflicts, 2));
        var claim = Claim("10.3.0.0/24", start: "10.3.0.10", end: "10.3.0.19");
        await AllocateAsync(claim);
        var report = await new UsageReader(Api).ReadAsync([claim.Network], [claim.Network], onlyTheirs: true, null, CancellationToken.None);

        using var metrics = new IpamMetrics(state.Node.Counters, () => report);

        var seen = Measure();
        seen["danm_ipam_allocations"].Value.Should().Be(7);
        seen["danm_ipam_conflicts"].Value.Should().Be(2);
        seen["danm_ipam_pool_size"].Value.Should().Be(10);
        seen["danm_ipam_pool_used"].Value.Should().Be(1);
        seen["danm_ipam_pool_free"].Value.Should().Be(9);
        seen["danm_ipam_pool_used"].Tags.Should().BeEquivalentTo(new Dictionary<string, string> { ["kind"] = "DanmNet", ["namespace"] = "ns", ["network"] = "n", ["family"] = "ipv4" });
    }

    [Test]
    public async Task A_claim_counts_what_it_costs()
    {
        var claim = Claim("10.4.0.0/24", start: "10.4.0.10", end: "10.4.0.11");
        Take(claim, "10.4.0.10", "10.4.0.11");
        var tally = new AllocationTally();

        await FluentActions.Awaiting(() => new AddressAllocator(Api, _ => { }, tally).AllocateAsync(AddressAllocator.Plan(claim), CancellationToken.None)).Should().ThrowAsync<AddressException>();

        tally.Allocations.Should().Be(0);
        tally.Conflicts.Should().BePositive();
        tally.Lists.Should().BePositive();
        tally.Exhausted.Should().Be(1);
        await new AddressAllocator(Api, _ => { }, tally).AllocateAsync(AddressAllocator.Plan(Claim("10.5.0.0/24")), CancellationToken.None);
        tally.Allocations.Should().Be(1);
    }

    private static Dictionary<string, (double Value, Dictionary<string, string> Tags)> Measure()
    {
        var seen = new Dictionary<string, (double, Dictionary<string, string>)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == IpamMetrics.MeterName)
                    l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => seen[i.Name] = (value, Read(tags)));
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => seen[i.Name] = (value, Read(tags)));
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;

        static Dictionary<string, string> Read(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var read = new Dictionary<string, string>();
            foreach (var (key, value) in tags)
                read[key] = (string)value!;
            return read;
        }
    }
}
