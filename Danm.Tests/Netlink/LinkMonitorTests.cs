using Danm.Netlink;

namespace Danm.Tests.Netlink;

/// <summary>Changes that another process makes.</summary>
public sealed class LinkMonitorTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(10), Short = TimeSpan.FromMilliseconds(200);

    [Test]
    public void What_others_do_to_links_and_addresses_is_heard_and_silence_too()
    {
        using var node = new TemporaryNamespace();
        using var monitor = OpenIn(node);
        monitor.Wait(Short).Should().BeFalse();

        foreach (var change in (string[])["link add br0 type bridge", "link set br0 up", "link set br0 alias x", "link set br0 mtu 1400", "link set lo up", "address add 192.0.2.1/24 dev br0", "link delete br0"])
        {
            node.Ip(change);
            monitor.Wait(Long).Should().BeTrue(change);
            while (monitor.Wait(Short))
            {
                // The kernel says some things twice.
            }
        }
    }

    // It listens in the calling thread's namespace, and this process stays where it is.
    private static LinkMonitor OpenIn(TemporaryNamespace node)
    {
        LinkMonitor? monitor = null;
        var thread = new Thread(() =>
        {
            using var home = NetworkNamespace.Open("/proc/thread-self/ns/net");
            if (Native.setns(node.Namespace.Descriptor, Native.CLONE_NEWNET) != 0)
                return;
            monitor = LinkMonitor.Open();
            _ = Native.setns(home.Descriptor, Native.CLONE_NEWNET);
        });
        thread.Start();
        thread.Join();
        return monitor ?? throw new InvalidOperationException("the namespace cannot be entered");
    }
}
