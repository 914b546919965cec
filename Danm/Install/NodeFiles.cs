using Danm.State;

namespace Danm.Install;

/// <summary>
/// Writes files that the kubelet and the runtime read at any moment: each appears whole, under its name, with its rights, and survives a
/// power cut; or it stays as it was.
/// </summary>
internal static class NodeFiles
{
    // No ending that a runtime takes for a configuration.
    private const string Unfinished = ".danm-unfinished";

    /// <summary>Rights of what everybody may read.</summary>
    public const UnixFileMode Public = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Rights of what only root may read.</summary>
    public const UnixFileMode Secret = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Rights of programs.</summary>
    public const UnixFileMode Program = Public | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Replaces a file, or makes it.</summary>
    /// <exception cref="IOException">It cannot be written; what was there is there.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        // A span goes into no lambda.
        var bytes = content.ToArray();
        Finish(path, unfinished =>
        {
            using var file = Create(unfinished, mode);
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        });
    }

    /// <summary>Copies a program.</summary>
    /// <exception cref="IOException">It cannot be read or written; what was there is there.</exception>
    public static void Copy(string source, string path)
    {
        Finish(path, unfinished =>
        {
            using var from = File.OpenRead(source);
            using var to = Create(unfinished, Program);
            from.CopyTo(to, 1 << 20);
            to.Flush(flushToDisk: true);
        });
    }

    /// <summary>Makes a link to a file of the same folder.</summary>
    /// <exception cref="IOException">It cannot be made; what was there is there.</exception>
    public static void Link(string path, string target)
    {
        Finish(path, unfinished => File.CreateSymbolicLink(unfinished, target));
    }

    /// <summary>Removes a file, for good also after a power cut.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public static bool Remove(string path)
    {
        if (!Exists(path))
            return false;
        File.Delete(path);
        StateFile.SyncFolder(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <summary>Whether there is anything of the name, a dangling link too.</summary>
    public static bool Exists(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null;

    /// <summary>Whether the file is there with these very bytes and rights.</summary>
    public static bool Has(string path, ReadOnlySpan<byte> content, UnixFileMode mode)
    {
        var file = new FileInfo(path);
        return file.Exists && file.LinkTarget is null && file.Length == content.Length && file.UnixFileMode == mode && content.SequenceEqual(File.ReadAllBytes(path));
    }

    /// <summary>Removes what an installer that was killed has left.</summary>
    public static void Sweep(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder, $".*{Unfinished}*"))
            File.Delete(path);
    }

    private static string NewName(string path) => Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}{Unfinished}-{Guid.NewGuid():N}");

    private static FileStream Create(string path, UnixFileMode mode)
    {
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode, BufferSize = 0 });
        // The umask may have taken rights away.
        File.SetUnixFileMode(file.SafeFileHandle, mode);
        return file;
    }

    // What cannot be finished, as on a full disk, does not stay to take the room.
    private static void Finish(string path, Action<string> make)
    {
        var unfinished = NewName(path);
        try
        {
            make(unfinished);
            File.Move(unfinished, path, overwrite: true);
        }
        catch (IOException e)
        {
            File.Delete(unfinished);
            // By the name that stays, so that the same fault is told in the same words.
            throw new IOException(e.Message.Replace(unfinished, path, StringComparison.Ordinal), e);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }

        StateFile.SyncFolder(Path.GetDirectoryName(path)!);
    }
}
