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
/// Counts that outlive the calls, which last milliseconds: 64-bit numbers in one small file of the node's state, for a long-lived
/// process to publish. Counting never fails a call, and never waits long: what cannot be counted at once is not.
/// </summary>
public sealed partial class NodeCounters(string folder)
{
    private const int O_RDWR = 2, O_CREAT = 0x40, O_CLOEXEC = 0x80000;
    private const int LOCK_EX = 2, LOCK_NB = 4;
    private const int Attempts = 5;

    // "DANMCTR" and the version of the format.
    private const long Magic = 0x31_52_54_43_4d_4e_41_44;
    private const int Slots = 64;
    private const int Size = sizeof(long) * (1 + Slots);

    private readonly string path = Path.Combine(folder, "counters");

    /// <summary>Adds to counters, whatever else happens to the file at the same time. A file that is not as it should be is left alone.</summary>
    public void Add(params ReadOnlySpan<(NodeCounter Counter, long Count)> counts)
    {
        var fd = open(path, O_RDWR | O_CREAT | OpenFlags.NoFollow | O_CLOEXEC, 0x180 /* 0600 */);
        if (fd < 0)
            return;
        using var file = new SafeFileHandle(fd, ownsHandle: true);
        try
        {
            Span<byte> content = stackalloc byte[Size];
            if (FileStatus.Of(file).Fault is not null || !TryLock(fd) || !TryRead(file, content))
                return;
            foreach (var (counter, count) in counts)
            {
                var slot = content[SlotOf(counter)..];
                BinaryPrimitives.WriteInt64LittleEndian(slot, BinaryPrimitives.ReadInt64LittleEndian(slot) + count);
            }

            RandomAccess.Write(file, content, 0);
        }
        catch (IOException)
        {
            // The disk is full, say: that is for others to tell.
        }
    }

    /// <summary>All counters; zeros where nothing was counted yet, or the file is not as it should be.</summary>
    public IReadOnlyDictionary<NodeCounter, long> Read()
    {
        Span<byte> content = stackalloc byte[Size];
        try
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (FileStatus.Of(file).Fault is not null || !TryRead(file, content))
                content.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            content.Clear();
        }

        var counters = new Dictionary<NodeCounter, long>();
        foreach (var counter in Enum.GetValues<NodeCounter>())
            counters[counter] = BinaryPrimitives.ReadInt64LittleEndian(content[SlotOf(counter)..]);
        return counters;
    }

    private static int SlotOf(NodeCounter counter) => sizeof(long) * (1 + (int)counter);

    /// <summary>The whole content; a new file's is made. False if it is of another format.</summary>
    private static bool TryRead(SafeFileHandle file, Span<byte> content)
    {
        var length = RandomAccess.Read(file, content, 0);
        if (length == 0)
            BinaryPrimitives.WriteInt64LittleEndian(content, Magic);
        return length is 0 or Size && BinaryPrimitives.ReadInt64LittleEndian(content) == Magic;
    }

    private static bool TryLock(int fd)
    {
        for (var attempt = 1; flock(fd, LOCK_EX | LOCK_NB) != 0; attempt++)
        {
            if (attempt == Attempts)
                return false;
            Thread.Sleep(attempt);
        }

        return true;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);
}
