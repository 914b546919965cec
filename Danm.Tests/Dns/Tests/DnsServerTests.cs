using System.Net;
using System.Net.Sockets;

namespace Danm.Tests.Dns.Tests;

/// <summary>The wire, with a real client and with what no client should send.</summary>
public sealed class DnsServerTests
{
    private DnsServer server = null!;

    [SetUp]
    public void Start() => server = DnsServer.Start(query => query.Name.Labels is [var first, ..] && int.TryParse(first, out var count)
        ? DnsReply.Of([.. Enumerable.Range(1, count).Select(i => new AddressRecord(query.Name, new IPAddress([10, 0, (byte)(i >> 8), (byte)i]), 5))])
        : DnsReply.Of(DnsCode.NoSuchName, new AuthorityRecord(DnsName.Parse("example"), 7, 5)));

    [TearDown]
    public async Task Stop() => await server.DisposeAsync();

    [TestCase(1, "+notcp", "+noedns", false)]
    [TestCase(29, "+notcp", "+noedns", false)]
    [TestCase(32, "+notcp", "+noedns", true)]
    [TestCase(32, "+notcp", "+bufsize=1232", false)]
    [TestCase(80, "+notcp", "+bufsize=1232", true)]
    [TestCase(1000, "+tcp", "+noedns", false)]
    public async Task Answers_as_much_as_the_asker_takes(int count, string transport, string size, bool isCut)
    {
        var lines = await Dig.AskAsync(server.EndPoint, $"{count}.example", transport, "+ignore", size);
        lines.Count(l => l.Contains("IN\tA\t10.0.")).Should().BeInRange(isCut ? 25 : count, isCut ? count - 1 : count);
        lines.Single(l => l.StartsWith(";; flags:", StringComparison.Ordinal)).Contains(" tc").Should().Be(isCut);
        lines.Should().NotContain(l => l.Contains("malformed", StringComparison.OrdinalIgnoreCase) || l.StartsWith(";; Warning", StringComparison.Ordinal));
    }

    [Test]
    public async Task What_does_not_fit_is_fetched_again_over_TCP() =>
        (await Dig.AskAsync(server.EndPoint, "500.example", "+short")).Should().HaveCount(500).And.OnlyHaveUniqueItems();

    [Test]
    public async Task A_name_that_is_not_there_is_told_with_its_zone()
    {
        var lines = await Dig.AskAsync(server.EndPoint, "none.example", "+noall", "+comments", "+authority");
        lines.Should().Contain(l => l.Contains("status: NXDOMAIN")).And.Contain(l => l.Contains("SOA") && l.Contains("ns.dns.example. hostmaster.example. 7 7200 1800 86400 5"));
    }

    [Test]
    public async Task Case_comes_back_as_it_was_asked() =>
        (await Dig.AskAsync(server.EndPoint, "1.ExAmPlE", "+noall", "+answer")).Should().ContainSingle().Which.Should().StartWith("1.ExAmPlE.");

    [TestCase("12340000000000000000000000", 1)]
    [TestCase("1234000000020000000000000000010001", 1)]
    [TestCase("12340000000100000000000003616263", 1)]
    [TestCase("123400000001000000000000C00C00010001", 1)]
    [TestCase("12341000000100000000000000000100 01", 4)]
    public async Task Nonsense_gets_an_error_and_changes_nothing(string hex, int code)
    {
        using var client = new UdpClient();
        client.Connect(server.EndPoint);
        // Neither an answer to nobody nor half a header is a question.
        foreach (var bytes in (string[])["12348000000100000000000000000100 01", "1234", hex])
            await client.SendAsync(Convert.FromHexString(bytes.Replace(" ", "")));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var reply = (await client.ReceiveAsync(patience.Token)).Buffer;
        Convert.ToHexString(reply).Should().Be($"1234800{code}0000000000000000");
        (await Dig.AskAsync(server.EndPoint, "1.example", "+short")).Should().Equal("10.0.0.1");
    }
}
