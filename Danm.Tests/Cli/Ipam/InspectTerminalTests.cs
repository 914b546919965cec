using System.Diagnostics;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.Benchmarks.Ipam;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Cli.Ipam;

/// <summary>What the executable's <c>ipam inspect</c> writes to a terminal, and only there.</summary>
public sealed class InspectTerminalTests
{
    private const string Escape = "\u001b";

    private EmbeddedApiServer server = null!;
    private string kubeconfig = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        DanmBinary.Require();
        if (!File.Exists("/usr/bin/script"))
            DanmBinary.Lacks("script(1) makes the terminal");
        server = await FullPools.StartAsync();
        kubeconfig = Path.GetTempFileName();
        await File.WriteAllTextAsync(kubeconfig, server.Kubeconfig());
        server.Store.Create(Objects.Network("DanmNet", "full", """{"NetworkID":"full","Options":{"host_device":"full","cidr":"10.1.0.0/30"}}"""));
        server.Store.Create(Objects.Network("DanmNet", "idle", """{"NetworkID":"idle","Options":{"host_device":"idle","cidr":"10.2.0.0/24"}}"""));
        server.Store.Create(Objects.Network("DanmNet", "leaks", """{"NetworkID":"leaks","Options":{"host_device":"leaks","cidr":"10.3.0.0/16"}}"""));
        FullPools.Seed(server, 2, new DanmWay("", "10.1.0.0/30", "full", "10.1.0.1", "10.1.0.2").Claim);
        FullPools.Seed(server, 1500, new DanmWay("", "10.3.0.0/16", "leaks", "10.3.0.1", "10.3.255.254").Claim);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (server is not null)
            await server.DisposeAsync();
        File.Delete(kubeconfig);
    }

    [TearDown]
    public void Clear() => server.Faults.Clear();

    [TestCase(80)]
    [TestCase(200)]
    public async Task A_full_pool_is_red_one_with_leaked_addresses_yellow_and_nothing_else_is_touched(int columns)
    {
        var lines = (await OnTerminalAsync("", columns)).Split("\r\n");

        lines[0].Should().StartWith("NETWORK  ");
        lines.Should().ContainSingle(l => l.StartsWith($"{Escape}[31mDanmNet/default/full  ") && l.EndsWith($"10.1.0.1-10.1.0.2{Escape}[0m"));
        lines.Should().ContainSingle(l => l.StartsWith($"{Escape}[33mDanmNet/default/leaks  ") && l.EndsWith($"{Escape}[0m"));
        lines.Should().ContainSingle(l => l.StartsWith("DanmNet/default/idle  "));
        string.Concat(lines).Count(c => c == Escape[0]).Should().Be(4);
    }

    [TestCase("NO_COLOR=1", "")]
    [TestCase("TERM=dumb", "")]
    [TestCase("", "| cat")]
    [TestCase("", "-o json")]
    public async Task Without_colours_it_is_plain_text(string environment, string arguments) =>
        (await OnTerminalAsync(arguments, 80, environment)).Should().NotContain(Escape).And.Contain("leaks");

    [Test]
    public async Task What_takes_its_time_counts_on_one_line_which_goes_in_the_end()
    {
        server.Faults.Add(new Fault(Fault.On("list", "ipallocations")) { Delay = TimeSpan.FromMilliseconds(400) });

        var text = await OnTerminalAsync("", 80);

        text.Should().MatchRegex($@"^(\r[\d,]+ objects read)+\r{Escape}\[KNETWORK ");
        (await OnTerminalAsync("2>/dev/null", 80)).Should().StartWith("NETWORK ");
        (await OnTerminalAsync("--owners dnet/leaks", 80)).Should().NotContain("objects read", "it would be written into the list");
    }

    [Test]
    public async Task Whoever_has_read_enough_gets_no_error() =>
        (await OnTerminalAsync("--owners dnet/leaks | head -n 2", 80)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Should().HaveCount(2);

    private async Task<string> OnTerminalAsync(string arguments, int columns, string environment = "")
    {
        var start = new ProcessStartInfo("/usr/bin/script", ["-qec", $"stty cols {columns} rows 40; {environment} {DanmBinary.Path} ipam inspect --kubeconfig {kubeconfig} {arguments}", "/dev/null"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment.Remove("NO_COLOR");
        start.Environment["TERM"] = "xterm-256color";
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, output);
        return output;
    }
}
