using System.Runtime.InteropServices;

namespace Danm.State;

/// <summary>Flags of open(2) on which the architectures differ (asm/fcntl.h).</summary>
internal static class OpenFlags
{
    /// <summary>O_NOFOLLOW: a symbolic link is an error.</summary>
    public static int NoFollow { get; } = IsArm64 ? 0x8000 : 0x20000;

    /// <summary>O_DIRECTORY: anything but a folder is an error.</summary>
    public static int Directory { get; } = IsArm64 ? 0x4000 : 0x10000;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
}
