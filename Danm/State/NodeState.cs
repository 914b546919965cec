using Danm.Netlink;

namespace Danm.State;

/// <summary>
/// The folder of what this node remembers: <c>sandboxes/</c> holds a journal for each sandbox, <c>deferred/</c> those whose release
/// is not complete. A journal is named by Pod UID and container id, so that finding one costs a look at the folder only.
/// </summary>
public sealed class NodeState
{
    /// <summary>Where it is on every node.</summary>
    public const string DefaultFolder = "/var/lib/cni/danm";

    private static string? bootId;

    private readonly string sandboxes;

    /// <summary>Uses a folder, which is made when first written to.</summary>
    public NodeState(string folder = DefaultFolder)
    {
        Folder = folder;
        sandboxes = Path.Combine(folder, "sandboxes");
        DeferredFolder = Path.Combine(folder, "deferred");
    }

    /// <summary>The whole state's folder.</summary>
    public string Folder { get; }

    internal string DeferredFolder { get; }

    /// <summary>This boot of the kernel; empty where the kernel does not say.</summary>
    internal static string BootId => bootId ??= ReadBootId();

    /// <summary>Opens the journal of a sandbox, making it when there is none; a deferred one is taken up again.</summary>
    /// <exception cref="IOException">The disk is full or read-only, or another call for this sandbox does not end.</exception>
    public async Task<Journal> CreateAsync(string podUid, string containerId, TimeSpan wait, CancellationToken cancellation)
    {
        MakeFolders();
        var key = SandboxRecord.KeyOf(podUid, containerId);
        var path = Path.Combine(sandboxes, key);
        var deferred = await StateFile.OpenAsync(Path.Combine(DeferredFolder, key), create: false, wait, cancellation).ConfigureAwait(false);
        deferred?.MoveTo(path);
        var file = deferred ?? await StateFile.OpenAsync(path, create: true, wait, cancellation).ConfigureAwait(false)
            ?? throw new IOException($"another call for container \"{containerId}\" is still at work (\"{path}\" is locked)");
        StateFile.SyncFolder(sandboxes);
        return Open(file);
    }

    /// <summary>
    /// Opens the journals that match a container id or a Pod UID; those that another call holds are waited for.
    /// </summary>
    /// <exception cref="IOException">Cannot be read, or another call does not end.</exception>
    public async Task<List<Journal>> FindAsync(
        Func<string, string, bool> matches, bool deferred, TimeSpan wait, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(matches);
        var found = new List<Journal>();
        var folder = deferred ? DeferredFolder : sandboxes;
        if (!Directory.Exists(folder))
            return found;
        foreach (var path in Directory.GetFiles(folder))
        {
            var key = Path.GetFileName(path);
            var split = key.IndexOf('_');
            if (split < 0 || !matches(key[..split], key[(split + 1)..]))
                continue;
            var file = await StateFile.OpenAsync(path, create: false, wait, cancellation).ConfigureAwait(false);
            if (file is not null)
                found.Add(Open(file));
            else if (wait > TimeSpan.Zero && File.Exists(path))
                throw new IOException($"another call for container \"{key[(split + 1)..]}\" is still at work (\"{path}\" is locked)");
        }

        return found;
    }

    /// <summary>Whether anything waits to be released.</summary>
    public bool HasDeferred => Directory.Exists(DeferredFolder) && Directory.EnumerateFiles(DeferredFolder).Any();

    /// <summary>Whether the kernel that the record was written under runs no more, or its namespace is gone: nothing can use it.</summary>
    public static bool IsDead(SandboxRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return (record.BootId is { Length: > 0 } boot && BootId.Length > 0 && boot != BootId)
            || (record.Netns is { Length: > 0 } netns && IsGone(netns));
    }

    /// <summary>Whether no network namespace is at a path any more, not even one that cannot be opened just now.</summary>
    public static bool IsGone(string netns)
    {
        try
        {
            NetworkNamespace.Open(netns).Dispose();
            return false;
        }
        catch (NetworkNamespaceException e)
        {
            return e.IsGone;
        }
    }

    private Journal Open(StateFile file)
    {
        try
        {
            var (last, damaged) = Journal.Read(file.ReadAll());
            return new Journal(this, file, last, damaged);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void MakeFolders()
    {
        try
        {
            foreach (var folder in (ReadOnlySpan<string>)[Folder, sandboxes, DeferredFolder])
            {
                if (!Directory.Exists(folder))
                    Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static string ReadBootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
