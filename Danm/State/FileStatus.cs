using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danm.State;

/// <summary>Whose an open file is, and of what kind (statx(2)): what decides whether root may act on its content.</summary>
/// <param name="Owner">Its user's number.</param>
/// <param name="Mode">Kind and permission bits, as <c>st_mode</c> has them.</param>
/// <param name="Size">In bytes.</param>
internal readonly partial record struct FileStatus(uint Owner, ushort Mode, ulong Size)
{
    private const int AT_FDCWD = -100, AT_EMPTY_PATH = 0x1000, S_IFMT = 0xf000, S_IFREG = 0x8000, S_IFDIR = 0x4000, WritableByOthers = 0x12; // 0022
    private const uint STATX_BASIC_STATS = 0x7ff;

    /// <summary>What makes the file untrustworthy, as the end of "the file …"; null if nothing does.</summary>
    public string? Fault => (Mode & S_IFMT) != S_IFREG ? "is not a regular file" : FaultOfOwner;

    /// <summary>The same for a folder.</summary>
    public string? FaultOfFolder => (Mode & S_IFMT) != S_IFDIR ? "is not a folder" : FaultOfOwner;

    private string? FaultOfOwner =>
        Owner != 0 ? $"belongs to user {Owner}, not to root"
        : (Mode & WritableByOthers) != 0 ? "can be written by others than its owner"
        : null;

    /// <exception cref="IOException">The kernel does not say.</exception>
    public static FileStatus Of(SafeFileHandle handle) => Of((int)handle.DangerousGetHandle(), "", AT_EMPTY_PATH);

    /// <summary>Of what a path leads to.</summary>
    /// <exception cref="IOException">The kernel does not say.</exception>
    public static FileStatus Of(string path) => Of(AT_FDCWD, path, 0);

    private static unsafe FileStatus Of(int folder, string path, int flags)
    {
        var status = default(Statx);
        return statx(folder, path, flags, STATX_BASIC_STATS, &status) == 0
            ? new FileStatus(status.Uid, status.Mode, status.Size)
            : throw new IOException(new Win32Exception(Marshal.GetLastPInvokeError()).Message);
    }

    /// <summary><c>struct statx</c>, 256 bytes, the same on all architectures.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Statx
    {
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(40)] public ulong Size;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int statx(int folder, string path, int flags, uint mask, Statx* status);
}
