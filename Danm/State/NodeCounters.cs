using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Danm.State;

/// <summary>What calls on this node have counted. The numbers are places in the file: they stay.</summary>
public enum NodeCounter
{
    /// <summary>Addresses given out.</summary>
    Allocations = 0,

    /// <summary>Creates that found the address taken.</summary>
    Conflicts = 1,

    /// <summary>Lists of a wire's addresses, because blind tries had failed.</summary>
    Lists = 2,

    /// <summary>Claims that failed since the pool had no free address.</summary>
    Exhausted = 3,
}

/// <summary>
/// Counts that outlive the calls, which last milliseconds: one page of 64-bit numbers in a file of the node's state, mapped and added to
/// atomically, for a long-lived process to publish. There is no lock to wait for, and nothing to tear for a call that is killed.
/// Counting never fails a call: a file that is not as it should be is left alone.
/// </summary>
public sealed partial class NodeCounters(string folder)
{
    private const int O_RDWR = 2, O_CREAT = 0x40, O_CLOEXEC = 0x80000;
    private const int PROT_READ_WRITE = 3, MAP_SHARED = 1;
    private const int Size = 4096;

    // "DANMCTR" and the version of the format.
    private const long Magic = 0x31_52_54_43_4d_4e_41_44;

    private readonly string path = Path.Combine(folder, "counters");

    /// <summary>Adds to counters.</summary>
    public unsafe void Add(params ReadOnlySpan<(NodeCounter Counter, long Count)> counts)
    {
        var fd = open(path, O_RDWR | O_CREAT | OpenFlags.NoFollow | O_CLOEXEC, 0x180 /* 0600 */);
        if (fd < 0)
            return;
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        if (!IsUsable(file, fd))
            return;
        var page = mmap(0, Size, PROT_READ_WRITE, MAP_SHARED, fd, 0);
        if (page == -1)
            return;
        var numbers = new Span<long>((void*)page, Size / sizeof(long));
        if (Interlocked.CompareExchange(ref numbers[0], Magic, 0) is 0 or Magic)
        {
            foreach (var (counter, count) in counts)
                Interlocked.Add(ref numbers[SlotOf(counter)], count);
        }

        _ = munmap(page, Size);
    }

    /// <summary>All counters; zeros where nothing was counted yet, or the file is not as it should be.</summary>
    public IReadOnlyDictionary<NodeCounter, long> Read()
    {
        Span<byte> content = stackalloc byte[Size];
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (FileStatus.Of(file) is not { Fault: null, Size: Size } || RandomAccess.Read(file, content, 0) != Size || BinaryPrimitives.ReadInt64LittleEndian(content) != Magic)
                content.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            content.Clear();
        }

        var counters = new Dictionary<NodeCounter, long>();
        foreach (var counter in Enum.GetValues<NodeCounter>())
            counters[counter] = BinaryPrimitives.ReadInt64LittleEndian(content[(sizeof(long) * SlotOf(counter))..]);
        return counters;
    }

    private static int SlotOf(NodeCounter counter) => 1 + (int)counter;

    // The page is reserved before it is mapped: a write to one that a full disk has no block for would end the process. Several calls
    // may find the file empty at once, and do the same to it.
    private static bool IsUsable(SafeFileHandle file, int fd)
    {
        try
        {
            var status = FileStatus.Of(file);
            return status.Fault is null && (status.Size == Size || (status.Size == 0 && fallocate(fd, 0, 0, Size) == 0));
        }
        catch (IOException)
        {
            return false;
        }
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fallocate(int fd, int mode, nint offset, nint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint address, nuint length);
}
