using CsCheck;
using Danm.Ipam;

namespace Danm.Tests.Ipam;

/// <summary>Many at once, on a pool that just suffices.</summary>
public sealed class AllocatorRaceTests : IpamFixture
{
    [Test]
    public Task As_many_callers_as_addresses_all_get_one_and_the_next_gets_none() =>
        Gen.Select(Gen.Int[1, 48], Gen.Int[0, 40], Gen.Bool).SampleAsync(async (callers, taken, ipv6) =>
        {
            NextWire();
            AddressClaim Of(int i) => ipv6
                ? Claim("fd00::/64", $"p{i}", start: "fd00::1", end: $"fd00::{callers + taken:x}")
                : Claim("10.0.0.0/24", $"p{i}", start: "10.0.0.1", end: $"10.0.0.{callers + taken}");
            // The taken ones lie among the others.
            Take(Of(0), Enumerable.Range(0, taken).Select(i => Of(0).Pool.At((UInt128)((2 * i) % (callers + taken))).ToString()).Distinct());
            var free = callers + taken - Taken(Of(0));

            var given = await Task.WhenAll(Enumerable.Range(0, free).Select(i => Task.Run(() => AllocateAsync(Of(i)))));

            given.Select(a => a.Address).Should().OnlyHaveUniqueItems();
            given.Select((a, i) => Stored(a)["spec"]!["owner"]!["pod"]!.GetValue<string>() == $"p{i}").Should().OnlyContain(own => own);
            Taken(Of(0)).Should().Be(callers + taken);
            (await this.Invoking(t => t.AllocateAsync(Of(callers + taken))).Should().ThrowAsync<AddressException>()).Which.Fault.Should().Be(AddressFault.Exhausted);
        }, iter: 12, threads: 1);

    [Test]
    public async Task Of_all_who_want_one_address_one_gets_it()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Task.Run(async () =>
        {
            try
            {
                return (await AllocateAsync(Claim("10.0.0.0/24", $"p{i}", wanted: "10.0.0.5"))).Name;
            }
            catch (AddressException e) when (e.Fault == AddressFault.InUse)
            {
                return e.Message;
            }
        })));

        var winner = Server.Store.Get("danm.io/v1", "IPAllocation", null, answers.Single(a => !a.Contains("in use")))!["spec"]!["owner"]!["pod"]!.GetValue<string>();
        answers.Count(a => a.Contains($"in use by Pod ns/{winner} ")).Should().Be(23);
    }
}
