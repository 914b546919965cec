using System.Globalization;
using Danm.Api;
using Danm.Svcwatcher.Selection;
using Danm.Svcwatcher.Slices;

namespace Danm.Tests.Svcwatcher.Slices;

/// <summary>How endpoints are packed: slices are written as 4:0-99 (family, endpoints by number).</summary>
[TestFixture]
public sealed class SlicePlannerTests
{
    private readonly Service service = Sights.Headless("IPv4");

    [TestCase(0, "0")]
    [TestCase(1, "1")]
    [TestCase(100, "100")]
    [TestCase(101, "100,1")]
    [TestCase(250, "100,100,50")]
    public void What_is_new_comes_in_full_slices_and_nothing_in_one_empty_one(int endpoints, string sizes)
    {
        var plan = Plan([], Numbers(0, endpoints));

        (plan.Update.Count, plan.Delete.Count).Should().Be((0, 0));
        plan.Create.Select(s => s.Endpoints.Count).Should().Equal(sizes.Split(',').Select(int.Parse));
    }

    [Test]
    public void What_is_right_is_not_touched() => Plan(Present(100, 100, 50), Numbers(0, 250)).Writes.Should().Be(0);

    [Test]
    public void One_that_goes_is_one_write() => Writes(Plan(Present(100, 100, 50), Numbers(0, 250).Except([120]))).Should().Be((0, 1, 0));

    [Test]
    public void One_that_changes_is_one_write_of_its_slice()
    {
        var members = Numbers(0, 250).Select(n => Member(n, n == 120 ? "False" : "True"));

        var plan = SlicePlanner.Plan(Sights.Of(service, members), Present(100, 100, 50), "2026-01-01T00:00:00Z");

        Writes(plan).Should().Be((0, 1, 0));
        plan.Update[0].Metadata.Annotations.Should().Contain(EndpointSlice.TriggerTimeAnnotation, "2026-01-01T00:00:00Z");
        plan.Update[0].Metadata.ResourceVersion.Should().Be("7");
    }

    [Test]
    public void What_comes_fills_the_slice_that_is_written_anyhow()
    {
        // 0 to 9 go from the first slice, 250 to 259 come.
        var plan = Plan(Present(100, 100, 50), Numbers(10, 260));

        Writes(plan).Should().Be((0, 1, 0));
        plan.Update.Single().Metadata.Name.Should().Be("s0");
    }

    [Test]
    public void What_comes_fills_the_fullest_slice_with_room_for_all_of_it()
    {
        var plan = Plan(Present(95, 50, 20), Numbers(0, 175));

        Writes(plan).Should().Be((0, 1, 0));
        plan.Update.Single().Metadata.Name.Should().Be("s1");
    }

    [Test]
    public void A_slice_that_becomes_empty_goes() => Writes(Plan(Present(100, 50), Numbers(0, 100))).Should().Be((0, 0, 1));

    [Test]
    public void The_last_slice_stays_empty()
    {
        var plan = Plan(Present(100, 50), []);

        Writes(plan).Should().Be((0, 1, 1));
        plan.Update.Single().Endpoints.Should().BeEmpty();
    }

    [Test]
    public void Slices_that_are_written_anyhow_are_merged()
    {
        var plan = Plan(Present(100, 100), Numbers(0, 30).Concat(Numbers(100, 140)));

        Writes(plan).Should().Be((0, 1, 1));
        plan.Update.Single().Endpoints.Should().HaveCount(70);
    }

    [Test]
    public void Another_port_is_a_write_of_every_slice()
    {
        var present = Present(100, 50);
        service.Spec.Ports = [new ServicePort { Name = "sql", Port = 5433 }];

        Writes(Plan(present, Numbers(0, 150))).Should().Be((0, 2, 0));
        service.Spec.Ports = [new ServicePort { Name = "sql", Port = 5432 }];
    }

    [Test]
    public void Slices_of_a_Service_of_the_same_name_before_are_replaced()
    {
        var present = Present(100);
        present[0].Metadata.OwnerReferences![0].Uid = "before";

        Writes(Plan(present, Numbers(0, 100))).Should().Be((1, 0, 1));
    }

    [Test]
    public void A_family_that_the_Service_has_no_more_goes()
    {
        var present = Present(1);
        present[0].AddressType = "IPv6";

        Writes(Plan(present, Numbers(0, 1))).Should().Be((1, 0, 1));
    }

    [Test]
    public void Whatever_changes_every_endpoint_is_in_one_slice_and_none_is_too_large()
    {
        var random = new Random(TestContext.CurrentContext.Random.Next());
        var present = new List<EndpointSlice>();
        for (var round = 0; round < 60; round++)
        {
            var numbers = Enumerable.Range(0, 700).Where(_ => random.Next(4) < random.Next(5)).ToList();
            var plan = Plan(present, numbers);
            foreach (var slice in plan.Create)
                slice.Metadata.Name = $"r{round}-{present.Count}-{plan.Create.ToList().IndexOf(slice)}";
            present = [.. present.Except(plan.Delete).Where(p => plan.Update.All(u => u.Metadata.Name != p.Metadata.Name)), .. plan.Update, .. plan.Create];

            present.SelectMany(s => s.Endpoints).Select(e => e.Addresses[0]).Should().BeEquivalentTo(numbers.Select(Address));
            present.Should().OnlyContain(s => s.Endpoints.Count <= 100);
            Plan(present, numbers).Writes.Should().Be(0);
        }
    }

    private SlicePlan Plan(IReadOnlyList<EndpointSlice> present, IEnumerable<int> numbers) =>
        SlicePlanner.Plan(Sights.Of(service, numbers.Select(n => Member(n, "True"))), present, null);

    private List<EndpointSlice> Present(params int[] sizes)
    {
        var template = new SliceTemplate(service);
        var all = DesiredEndpoints.Of(Sights.Of(service, Numbers(0, sizes.Sum()).Select(n => Member(n, "True"))), "IPv4").OrderBy(e => int.Parse(e.TargetRef!.Name!, CultureInfo.InvariantCulture)).ToList();
        return sizes.Select((size, i) => template.Make(
            "IPv4", all.Skip(sizes.Take(i).Sum()).Take(size), null, new EndpointSlice { Metadata = new ObjectMeta { Name = $"s{i}", ResourceVersion = "7" } })).ToList();
    }

    private static IEnumerable<int> Numbers(int from, int to) => Enumerable.Range(from, to - from);

    private static ServiceMember Member(int number, string ready) => Sights.Member(number.ToString(CultureInfo.InvariantCulture), Address(number), ready: ready);

    private static string Address(int number) => $"10.0.{number / 200}.{(number % 200) + 1}";

    private static (int Created, int Updated, int Deleted) Writes(SlicePlan plan) => (plan.Create.Count, plan.Update.Count, plan.Delete.Count);
}
