using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Danm.Tests.Kernel;

namespace Danm.Tests.EndToEnd.Image;

/// <summary>The bill of materials in the image says what the executable in the image is made of.</summary>
[TestFixture]
public sealed class BillOfMaterialsTests
{
    private ImageArchive image = null!;
    private JsonObject bill = null!;

    private IEnumerable<JsonNode> Components => bill["components"]!.AsArray().Select(c => c!);

    [OneTimeSetUp]
    public void Open()
    {
        image = ImageArchive.Open();
        bill = (JsonObject)JsonNode.Parse(image.FileOf("usr/share/doc/danm/danm.cdx.json"))!;
    }

    [Test]
    public void It_is_of_this_executable_and_of_the_commit_that_this_says()
    {
        var self = bill["metadata"]!["component"]!;
        var binary = image.FileOf("usr/local/bin/danm");

        ((string)bill["bomFormat"]!, (string)bill["specVersion"]!).Should().Be(("CycloneDX", "1.6"));
        self["hashes"]!.ToJsonString().Should().Be($$"""[{"alg":"SHA-256","content":"{{Convert.ToHexStringLower(SHA256.HashData(binary))}}"}]""");
        if (self["pedigree"] is { } pedigree)
        {
            var commit = (string)pedigree["commits"]!.AsArray().Single()!["uid"]!;
            ((string)image.Config["config"]!["Labels"]!["org.opencontainers.image.revision"]!).Should().Be(commit);
            // In the executable as UTF-16 or UTF-8, whatever the compiler chose.
            (binary.AsSpan().IndexOf(Encoding.Unicode.GetBytes(commit)) >= 0 || binary.AsSpan().IndexOf(Encoding.UTF8.GetBytes(commit)) >= 0).Should().BeTrue(commit);
        }
    }

    [Test]
    public void Every_package_that_Danm_refers_to_is_in_it()
    {
        var group = XDocument.Load(Path.Combine(DanmBinary.Repository, "Directory.Packages.props")).Descendants("ItemGroup").Single(g => (string?)g.Attribute("Label") == "Danm");

        Components.Select(c => (string)c["purl"]!).Should().Contain(group.Elements("PackageVersion").Select(p => $"pkg:nuget/{(string)p.Attribute("Include")!}@{(string)p.Attribute("Version")!}"));
    }

    [Test]
    public void The_runtime_and_the_libraries_that_are_linked_in_are_in_it()
    {
        Components.Select(c => (string)c["name"]!).Should()
            .ContainMatch("Microsoft.NETCore.App.Runtime.NativeAOT.*").And.ContainMatch("Microsoft.AspNetCore.App.Runtime.*")
            .And.Contain(["libssl-dev", "libc6-dev"]).And.ContainMatch("libgcc-*-dev");
    }

    [Test]
    public async Task Libraries_have_the_versions_that_are_installed()
    {
        await using var host = await PrivateNamespaces.StartAsync("");
        foreach (var component in Components.Where(c => ((string)c["purl"]!).StartsWith("pkg:deb/", StringComparison.Ordinal)))
        {
            var installed = await host.RunAsync($"dpkg-query --show --showformat='${{Version}}' {(string)component["name"]!}", TimeSpan.FromSeconds(20));
            installed.Stdout.Should().Be((string)component["version"]!);
        }
    }

    [Test]
    public void Every_component_has_a_version_an_address_and_a_license_and_belongs_to_the_executable()
    {
        Components.Should().OnlyContain(c => ((string)c["version"]!).Length > 0 && c["licenses"]!.AsArray().Count == 1);
        Components.Select(c => (string)c["purl"]!).Should().OnlyHaveUniqueItems().And.OnlyContain(p => Regex.IsMatch(p, @"^pkg:(nuget/[\w.-]+@[\w.-]+|deb/\w+/[\w.+-]+@[\w.%~-]+\?arch=\w+&distro=[\w.-]+&upstream=[\w.-]+)$"));
        var dependencies = bill["dependencies"]!.AsArray().Single()!;
        ((string)dependencies["ref"]!).Should().Be((string)bill["metadata"]!["component"]!["bom-ref"]!);
        dependencies["dependsOn"]!.AsArray().Select(d => (string)d!).Should().Equal(Components.Select(c => (string)c["bom-ref"]!));
    }
}
