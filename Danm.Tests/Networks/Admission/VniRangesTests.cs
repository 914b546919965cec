using Danm.Networks;
using Danm.Networks.Admission;

namespace Danm.Tests.Networks.Admission;

public sealed class VniRangesTests
{
    [TestCase("2000-2500,2601", Encapsulation.Vlan, "2000-2500,2601", 502)]
    [TestCase("5", Encapsulation.Vlan, "5", 1)]
    [TestCase("1-4094", Encapsulation.Vlan, "1-4094", 4094)]
    [TestCase("1-16777214", Encapsulation.Vxlan, "1-16777214", 16777214)]
    [TestCase("7,5,6", Encapsulation.Vlan, "5-7", 3)]
    [TestCase("10-20,15-25,12,10-20", Encapsulation.Vxlan, "10-25", 16)]
    [TestCase("10-20,22-25", Encapsulation.Vxlan, "10-20,22-25", 15)]
    public void Ranges_are_merged(string text, Encapsulation encapsulation, string merged, int count)
    {
        VniRanges.TryParse(text, encapsulation, out var ranges, out var why).Should().BeTrue();

        why.Should().BeEmpty();
        ranges.ToString().Should().Be(merged);
        ranges.Count.Should().Be(count);
    }

    [TestCase("20-10", Encapsulation.Vlan, "must have the lower end of each range first, which 20-10 has not")]
    [TestCase("0", Encapsulation.Vlan, "must lie within 1 to 4094, which 0 does not")]
    [TestCase("1-4095", Encapsulation.Vlan, "must lie within 1 to 4094, which 1-4095 does not")]
    [TestCase("4096-2", Encapsulation.Vlan, "must lie within 1 to 4094, which 4096-2 does not")]
    [TestCase("16777215", Encapsulation.Vxlan, "must lie within 1 to 16777214, which 16777215 does not")]
    [TestCase("2147483648", Encapsulation.Vxlan, "must be ids *which \"2147483648\" is not")]
    [TestCase("99999999999999999999", Encapsulation.Vxlan, "must be ids *is not")]
    [TestCase("1-2-3", Encapsulation.Vlan, "must be ids *which \"1-2-3\" is not")]
    [TestCase("5,", Encapsulation.Vlan, "must be ids *which \"\" is not")]
    [TestCase("5, 6", Encapsulation.Vlan, "must be ids *which \" 6\" is not")]
    [TestCase("-5", Encapsulation.Vlan, "must be ids *which \"-5\" is not")]
    [TestCase("5-", Encapsulation.Vlan, "must be ids *which \"5-\" is not")]
    [TestCase("+5", Encapsulation.Vlan, "must be ids *which \"+5\" is not")]
    [TestCase("\u0665", Encapsulation.Vlan, "must be ids *which \"\\u0665\" is not")]
    [TestCase("5\u001b", Encapsulation.Vlan, "must be ids *which \"5\\u001b\" is not")]
    [TestCase("", Encapsulation.Vlan, "must be ids *in at most 1024 characters")]
    [TestCase(null, Encapsulation.Vlan, "must be ids *in at most 1024 characters")]
    [TestCase("5", Encapsulation.None, "needs the vniType vlan or vxlan")]
    public void Other_texts_say_what_is_allowed(string? text, Encapsulation encapsulation, string message)
    {
        VniRanges.TryParse(text, encapsulation, out var ranges, out var why).Should().BeFalse();

        why.Should().Match(message);
        ranges.Count.Should().Be(0);
    }

    [Test]
    public void The_text_has_a_length_that_bounds_the_work()
    {
        VniRanges.TryParse(string.Join(',', Enumerable.Repeat("1", 512)) + ",", Encapsulation.Vlan, out _, out var why).Should().BeFalse();
        why.Should().Contain("\"\"");
        VniRanges.TryParse(string.Join(',', Enumerable.Repeat("1", 512)), Encapsulation.Vlan, out var ranges, out _).Should().BeTrue();
        ranges.Count.Should().Be(1);
        VniRanges.TryParse(string.Join(',', Enumerable.Repeat("1", 513)), Encapsulation.Vlan, out _, out why).Should().BeFalse();
        why.Should().Contain("1024");
    }

    [Test]
    public void Ids_ascend_and_are_made_as_they_are_asked_for()
    {
        VniRanges.TryParse("9,2-4,16000000-16777214", Encapsulation.Vxlan, out var ranges, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        ranges.All.Take(6).Should().Equal(2, 3, 4, 9, 16000000, 16000001);
        ranges.All.Last().Should().Be(16777214);
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1 << 20);
        foreach (var (id, expected) in new[] { (1, false), (2, true), (4, true), (5, false), (9, true), (16777214, true), (int.MaxValue, false), (-1, false) })
            ranges.Contains(id).Should().Be(expected, $"{id}");
    }
}
