using Danm.Api;
using Danm.Webhook;

namespace Danm.Tests.Webhook;

public sealed class ObjectNamingTests
{
    [TestCase("a")]
    [TestCase("a-1.b")]
    [TestCase("")]
    [TestCase(null)]
    public void A_name_that_the_API_server_takes_passes(string? name) => ObjectNaming.Check(new ObjectMeta { Name = name }).Should().BeNull();

    [TestCase(".")]
    [TestCase("..")]
    [TestCase("x,y")]
    [TestCase("x=y")]
    [TestCase("A")]
    [TestCase("a-")]
    [TestCase("a/b")]
    [TestCase("a\n")]
    public void Another_does_not(string name) => ObjectNaming.Check(new ObjectMeta { Name = name })!.Field.Should().Be("metadata.name");

    [TestCase("a", true)]
    [TestCase("a-", true)]
    [TestCase("a--", true)]
    [TestCase("a.b-", true)]
    [TestCase("-", false)]
    [TestCase("a.", false)]
    [TestCase("a.-", false)]
    [TestCase("x,y-", false)]
    public void A_prefix_must_make_a_name(string prefix, bool passes) =>
        (ObjectNaming.Check(new ObjectMeta { GenerateName = prefix })?.Field).Should().Be(passes ? null : "metadata.generateName");

    [TestCase(253, true)]
    [TestCase(254, false)]
    public void Neither_is_longer_than_253_characters(int length, bool passes)
    {
        (ObjectNaming.Check(new ObjectMeta { Name = new string('a', length) }) is null).Should().Be(passes);
        (ObjectNaming.Check(new ObjectMeta { GenerateName = new string('a', length - 1) + "-" }) is null).Should().Be(passes);
    }

    [Test]
    public void What_is_said_is_short_however_long_the_name() =>
        ObjectNaming.Check(new ObjectMeta { Name = new string('\u001b', 100_000) })!.ToString().Length.Should().BeLessThan(1000);
}
