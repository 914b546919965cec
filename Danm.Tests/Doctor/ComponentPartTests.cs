using System.Text.Json;
using Danm.Doctor;
using Danm.Doctor.Cluster;

namespace Danm.Tests.Doctor;

public sealed class ComponentPartTests
{
    [TestCase("--vxlan-flooding=unicast", """["netwatcher"]""", """["--vxlan-flooding=unicast"]""", true)]
    [TestCase("--vxlan-flooding=unicast", """["netwatcher"]""", """["--vxlan-flooding", "unicast", "-v"]""", true)]
    [TestCase("--vxlan-flooding=unicast", """["netwatcher", "--vxlan-flooding:unicast"]""", "null", true)]
    [TestCase("--vxlan-flooding=unicast", "null", """["--vxlan-flooding=multicast"]""", false)]
    [TestCase("--vxlan-flooding=unicast", "null", """["--vxlan-flooding"]""", false)]
    [TestCase("--vxlan-flooding=unicast", "null", """["unicast"]""", false)]
    [TestCase("--endpoints", "null", """["svcwatcher", "--endpoints", "-v"]""", true)]
    [TestCase("--endpoints", """["svcwatcher", "--endpoints=true"]""", "null", true)]
    [TestCase("--endpoints", "null", """["--endpoints", "true"]""", true)]
    [TestCase("--endpoints", "null", """["--endpoints=false"]""", false)]
    [TestCase("--endpoints", "null", """["--endpoints", "false"]""", false)]
    [TestCase("--endpoints", "null", """["--endpoints-of=x"]""", false)]
    public void Any_spelling_of_a_flag_turns_it_on(string flag, string command, string arguments, bool expected)
    {
        using var workload = JsonDocument.Parse($$"""
            {"spec":{"template":{"spec":{"containers":[{"name":"other"},{"command":{{command}},"args":{{arguments}} }]} } } }
            """);

        new ComponentPart("folder", flag).IsOn(new Document(workload.RootElement)).Should().Be(expected);
    }
}
