using System.ComponentModel;
using System.Diagnostics;
using System.Net;

namespace Danm.Tests.Kernel;

[TestFixture, Parallelizable]
public sealed class GuestLifeTests
{
    [OneTimeSetUp]
    public void Require() => Guest.Require();

    [Test]
    public async Task Two_guests_do_not_meet()
    {
        var guests = await Task.WhenAll(Guest.BootAsync(), Guest.BootAsync());
        await using var one = guests[0];
        await using var other = guests[1];

        await one.ExpectAsync("ip link add only1 type dummy; echo 1 > /etc/only1; ip netns add only1");
        (await other.RunAsync("ip link show only1 || ls /etc/only1 /run/netns/only1")).ExitCode.Should().NotBe(0);
        using var first = one.Bind(new IPEndPoint(Guest.HostAddress, 6443));
        using var second = other.Bind(new IPEndPoint(Guest.HostAddress, 6443));
        (await other.ExpectAsync($"ping -c 1 -W 5 {Guest.HostAddress}")).Should().Contain("1 received");
    }

    [Test]
    public async Task Nothing_is_left_after_a_halt()
    {
        var guest = await Guest.BootAsync();
        var directory = Path.GetDirectoryName(guest.SharedDirectory)!;
        var space = guest.NamespacePath;
        ProcessesOf(directory).Should().NotBeEmpty();
        await guest.RunAsync("sleep 1000 & disown");

        await guest.DisposeAsync();

        guest.ConsoleText.Should().Contain("Power down");
        ProcessesOf(directory).Should().BeEmpty();
        Directory.Exists(directory).Should().BeFalse();
        // The tap device, the memory file and their mounts are in namespaces that nothing else held.
        (await File.ReadAllTextAsync("/proc/self/mounts")).Should().NotContain(directory);
        FluentActions.Invoking(() => NamespaceSocket.OpenTcp(space, System.Net.Sockets.AddressFamily.InterNetwork))
            .Should().Throw<Win32Exception>();
    }

    [Test]
    public async Task A_guest_that_dies_fails_its_commands_with_its_console()
    {
        await using var guest = await Guest.BootAsync();

        var dying = () => guest.RunAsync("echo Last words > /dev/console; sleep 1; echo c > /proc/sysrq-trigger; sleep 60");

        (await dying.Should().ThrowAsync<GuestException>()).Which.Message.Should()
            .Contain("Kernel panic").And.Contain("Last words");
    }

    [Test]
    public async Task Nothing_runs_on_when_the_process_that_booted_it_is_killed()
    {
        await using var guest = await Guest.BootAsync();
        var directory = Path.GetDirectoryName(guest.SharedDirectory)!;

        // A process of the same making, whose parent is a shell that can be killed.
        var copy = Directory.CreateTempSubdirectory("danm-test-").FullName;
        try
        {
            foreach (var file in Directory.GetFiles(directory).Where(f => !char.IsAsciiDigit(Path.GetFileName(f)[0])))
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            var start = new ProcessStartInfo("bash", ["-c", "\"$@\" 2>/dev/null; exit", "shell", .. Guest.CommandLine(copy)])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            };
            using var shell = Process.Start(start)!;
            (await shell.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60))).Should().Be("ready");
            ProcessesOf(copy).Should().NotBeEmpty();

            shell.Kill();
            await shell.WaitForExitAsync();

            await Eventually(() => ProcessesOf(copy).Count == 0);
            (await guest.ExpectAsync("echo alive")).Should().Be("alive\n");
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [Test]
    public async Task A_boot_that_fails_says_why()
    {
        var boot = () => Guest.BootAsync(new GuestOptions { Modules = ["ipv6", "nosuchmodule"] });

        (await boot.Should().ThrowAsync<GuestException>()).Which.Message.Should()
            .Contain("failed modprobe").And.Contain("nosuchmodule not found");
    }

    [Test]
    public async Task A_boot_that_takes_too_long_is_ended()
    {
        var boot = () => Guest.BootAsync(new GuestOptions { BootTimeout = TimeSpan.FromSeconds(1) });

        (await boot.Should().ThrowAsync<GuestException>()).Which.Message.Should().Contain("not ready within 1 s");
    }

    private static List<string> ProcessesOf(string directory) =>
        [.. Directory.GetDirectories("/proc").Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0]) && CommandLine(p).Contains(directory))];

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task Eventually(Func<bool> holds)
    {
        for (var watch = Stopwatch.StartNew(); !holds(); await Task.Delay(50))
            watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(10));
    }
}
