namespace Danm.Tests.Kernel;

/// <summary>Whether this machine can boot a <see cref="Guest"/>.</summary>
internal static class GuestRequirements
{
    private static readonly (string Program, string Package)[] Programs =
    [
        ("linux.uml", "user-mode-linux"), ("modprobe", "kmod"), ("ip", "iproute2"), ("bash", "bash"),
        ("unshare", "util-linux"), ("setpriv", "util-linux"),
    ];

    /// <summary>What is missing and what to do about it; null where a guest can boot.</summary>
    public static string? Missing()
    {
        if (!OperatingSystem.IsLinux())
            return "User Mode Linux runs on Linux only.";
        if (!Environment.IsPrivilegedProcess)
            return "User Mode Linux on the host's files, and its tap device, need root: run the tests as root.";

        var path = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/bin:/sbin:/bin".Split(':');
        var absent = Programs.Where(p => !path.Any(d => File.Exists(Path.Combine(d, p.Program)))).ToList();
        if (absent.Count > 0)
            return $"User Mode Linux cannot run: {string.Join(", ", absent.Select(p => p.Program))} not found. "
                + $"As root: apt-get install {string.Join(' ', absent.Select(p => p.Package).Distinct())}";
        if (!Directory.Exists("/usr/lib/uml/modules"))
            return "User Mode Linux has no modules in /usr/lib/uml/modules. As root: apt-get install --reinstall user-mode-linux";
        return File.Exists("/dev/net/tun")
            ? null
            : "User Mode Linux needs /dev/net/tun for its network. As root: modprobe tun "
                + "(in a container: give it the device, --device /dev/net/tun)";
    }
}
