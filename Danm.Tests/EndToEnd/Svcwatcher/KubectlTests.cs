using System.Text.RegularExpressions;
using Danm.Tests.ApiServer.Tests;

namespace Danm.Tests.EndToEnd.Svcwatcher;

/// <summary>What people see of Services with the kubectl that they have.</summary>
[TestFixture, Parallelizable]
public sealed class KubectlTests : SvcwatcherFixture
{
    private const int Shown = 3;

    private Kubectl kubectl = null!;

    [SetUp]
    public async Task Find() => kubectl = await Kubectl.FindAsync(Server.Kubeconfig());

    [TearDown]
    public void Forget() => kubectl?.Dispose();

    [Test]
    public async Task Shows_addresses_and_ports_of_Services_of_one_and_of_both_families()
    {
        Service("db", """{"clusterIP":"None","ports":[{"name":"sql","port":5432,"targetPort":15432},{"name":"stats","port":9187}]}""", On("db", "internal"));
        Service("db-outside", """{"clusterIP":"None","ports":[{"name":"sip","port":5060,"protocol":"UDP"}]}""", On("db", "external"));
        Service("web", """{"clusterIP":"None","ports":[{"port":80}]}""", On("web", "internal"));
        Service("idle", """{"clusterIP":"None","ports":[{"port":81}]}""", On("idle", "internal"));
        for (var i = 0; i < 2; i++)
        {
            Pod($"db-{i}", ready: i == 0);
            Interface($"i{i}", $"db-{i}", "internal", $"10.0.0.{i + 1}/24", $"fd00::{i + 1}/64");
            Interface($"e{i}", $"db-{i}", "external", $"192.0.2.{i + 1}/24");
        }

        for (var i = 0; i < 5; i++)
        {
            Pod($"web-{i}", ready: i > 0, app: "web");
            Interface($"w{i}", $"web-{i}", "internal", $"10.0.1.{i + 1}/24");
        }

        // Endpoints are for a kubectl before 1.31, which knows no slices.
        await using var watcher = Start("--endpoints");
        await BecomesAsync("db", "10.0.0.1 db-0", "10.0.0.2 db-1!", "fd00::1 db-0", "fd00::2 db-1!");
        await BecomesAsync("db-outside", "192.0.2.1 db-0", "192.0.2.2 db-1!");
        await BecomesAsync("web", "10.0.1.1 web-0!", "10.0.1.2 web-1", "10.0.1.3 web-2", "10.0.1.4 web-3", "10.0.1.5 web-4");

        await EventuallyDescribesAsync("db", ["10.0.0.1:5432", "[fd00::1]:5432"], ["10.0.0.1:9187", "[fd00::1]:9187"]);
        await EventuallyDescribesAsync("db-outside", ["192.0.2.1:5060"]);
        await EventuallyDescribesAsync("web", ["10.0.1.2:80", "10.0.1.3:80", "10.0.1.4:80", "10.0.1.5:80"]);
        await EventuallyDescribesAsync("idle", ofEachPort: [[]]);
        // A slice lists who is not ready too, and says so by its conditions.
        (await SlicesOfAsync("db")).Should().BeEquivalentTo("IPv4 5432,9187 10.0.0.1,10.0.0.2", "IPv6 5432,9187 fd00::1,fd00::2");
        (await SlicesOfAsync("db-outside")).Should().Contain("IPv4 5060 192.0.2.1,192.0.2.2");
        (await SlicesOfAsync("web")).Should().ContainMatch("IPv4 80 10.0.1.?,10.0.1.?,10.0.1.? + 2 more...");

        Ready("db-1", true);

        await EventuallyDescribesAsync("db-outside", ["192.0.2.1:5060", "192.0.2.2:5060"]);
        await EventuallyDescribesAsync(
            "db", ["10.0.0.1:5432", "10.0.0.2:5432", "[fd00::1]:5432", "[fd00::2]:5432"], ["10.0.0.1:9187", "10.0.0.2:9187", "[fd00::1]:9187", "[fd00::2]:9187"]);
    }

    private static (string, string)[] On(string app, string network) => [("danm.io/selector", $$"""{"app":"{{app}}"}"""), ("danm.io/clusterNetwork", network)];

    /// <summary>The line of each port is of these addresses, in the server's order: three of them, and how many there are besides.</summary>
    private Task EventuallyDescribesAsync(string service, params string[][] ofEachPort) => Netwatcher.Eventually.HoldsAsync(async () =>
    {
        var lines = Regex.Matches(await kubectl.OutputAsync("describe", "service", service), "(?m)^Endpoints:(.*)$").Select(m => m.Groups[1].Value.Trim()).ToList();
        lines.Should().HaveCount(ofEachPort.Length);
        foreach (var (line, addresses) in lines.Zip(ofEachPort))
        {
            if (addresses.Length == 0)
            {
                // From slices without endpoints it makes an empty list, from Endpoints without subsets a word.
                line.Should().Be(kubectl.Minor < 31 ? "<none>" : "");
                continue;
            }

            var parts = line.Split(" + ");
            parts[0].Split(',').Should().OnlyHaveUniqueItems().And.HaveCount(Math.Min(Shown, addresses.Length)).And.BeSubsetOf(addresses);
            parts.Skip(1).Should().Equal(addresses.Length > Shown ? [$"{addresses.Length - Shown} more..."] : []);
        }
    });

    /// <summary>The columns of a Service's slices: family, ports, addresses.</summary>
    private async Task<IEnumerable<string>> SlicesOfAsync(string service) =>
        (await kubectl.OutputAsync("get", "endpointslices", "--no-headers", "-l", $"kubernetes.io/service-name={service}")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => Regex.Split(l.Trim(), " {2,}")).Select(c => string.Join(' ', c[1..^1]));
}
