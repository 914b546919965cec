using Danm.Netlink;

namespace Danm.Tests.Netlink;

/// <summary>What this machine's kernel can do.</summary>
internal static class KernelSupport
{
    /// <summary>Makes a link; ends the test as ignored where the kernel lacks its kind.</summary>
    public static Link? AddLinkOrIgnore(RouteSocket socket, LinkSpec spec)
    {
        try
        {
            return socket.AddLink(spec);
        }
        catch (NetlinkException e) when (e.Errno == Errno.EOPNOTSUPP)
        {
            Assert.Ignore($"this kernel has no {spec.Kind.Name}: {e.Message}");
            throw;
        }
    }
}
