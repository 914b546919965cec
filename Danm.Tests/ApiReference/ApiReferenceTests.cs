namespace Danm.Tests.ApiReference;

[Parallelizable(ParallelScope.All)]
public sealed class ApiReferenceTests
{
    [Test]
    public void The_page_is_what_the_definitions_say() =>
        File.ReadAllText(ApiReferenceProgram.File).Should().Be(ApiPage.Write(CustomKind.All()), "./build.sh --target=Docs writes it");

    [Test]
    public void Every_field_has_its_description() =>
        CustomKind.All().SelectMany(k => SchemaField.Of(k.Schema)).Should().OnlyContain(f => f.Description.Length > 0).And.HaveCountGreaterThan(80);
}
