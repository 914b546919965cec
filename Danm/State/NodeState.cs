using Danm.Netlink;

namespace Danm.State;

/// <summary>
/// The folder of what this node remembers. <c>sandboxes/</c> holds a journal for each sandbox, named by Pod UID and container id, so
/// that finding one costs a look at the folder only; it is the sandbox's lock too, and never moves. <c>deferred/</c> holds a mark, of
/// the same name, for each whose release is not complete.
/// </summary>
public sealed class NodeState
{
    /// <summary>Where it is on every node.</summary>
    public const string DefaultFolder = "/var/lib/cni/danm";

    /// <summary>A file's name has at most 255 bytes on every file system that matters.</summary>
    private const int MaxKey = 255;

    private static string? bootId;

    private readonly string? outer;
    private readonly string sandboxes;
    private readonly string deferred;

    /// <summary>Uses a folder, which is made when first written to.</summary>
    public NodeState(string folder = DefaultFolder)
    {
        Folder = folder;
        sandboxes = Path.Combine(folder, "sandboxes");
        deferred = Path.Combine(folder, "deferred");
    }

    private NodeState(NodeState outer, string name)
        : this(Path.Combine(outer.Folder, name)) => this.outer = outer.Folder;

    /// <summary>
    /// What the node remembers of addresses that it gave to other plugins: a journal for each interface, apart from those of sandboxes,
    /// which answer for all that a container has from us. Their names have an underscore and the interface's id behind the container's.
    /// </summary>
    public NodeState Addresses => new(this, "addresses");

    /// <summary>What the node's calls have counted.</summary>
    public NodeCounters Counters => new(outer ?? Folder);

    /// <summary>The whole state's folder.</summary>
    public string Folder { get; }

    /// <summary>This boot of the kernel; empty where the kernel does not say.</summary>
    internal static string BootId => bootId ??= ReadBootId();

    /// <summary>Milliseconds of this boot, which no change of the clock moves.</summary>
    internal static long Uptime => Environment.TickCount64;

    /// <summary>Opens the journal of a sandbox, made when there is none.</summary>
    /// <exception cref="IOException">The disk is full or read-only, or another call for this sandbox does not end.</exception>
    public async Task<Journal> CreateAsync(string podUid, string containerId, TimeSpan wait, CancellationToken cancellation)
    {
        var key = SandboxRecord.KeyOf(podUid, containerId);
        if (key.Length > MaxKey)
            throw new IOException($"Pod UID \"{podUid}\" and container id \"{containerId}\" are together too long for the name of a file");
        MakeFolders();
        var path = Path.Combine(sandboxes, key);
        var file = await StateFile.OpenAsync(path, create: true, wait, cancellation).ConfigureAwait(false) ?? throw Busy(path, containerId);
        return Open(file);
    }

    /// <summary>
    /// Opens the journals whose Pod UID and container id match. Those that another call holds are waited for; without a
    /// <paramref name="wait"/> they are left out.
    /// </summary>
    /// <exception cref="IOException">Cannot be read, or another call does not end.</exception>
    public async Task<List<Journal>> FindAsync(Func<string, string, bool> matches, TimeSpan wait, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(matches);
        var found = new List<Journal>();
        if (!Directory.Exists(sandboxes))
            return found;
        try
        {
            foreach (var path in Directory.GetFiles(sandboxes))
            {
                var key = Path.GetFileName(path);
                var split = key.IndexOf('_');
                if (split < 0 || !matches(key[..split], key[(split + 1)..]))
                    continue;
                if (await StateFile.OpenAsync(path, create: false, wait, cancellation).ConfigureAwait(false) is { } file)
                    found.Add(Open(file));
                else if (wait > TimeSpan.Zero && File.Exists(path))
                    throw Busy(path, key[(split + 1)..]);
            }
        }
        catch
        {
            found.ForEach(j => j.Dispose()); // nobody else would unlock them
            throw;
        }

        return found;
    }

    /// <summary>
    /// The last records of journals whose content holds some text, read without their locks: for a look that must not wait, nor keep
    /// any call waiting. What cannot be read is left out.
    /// </summary>
    public IEnumerable<SandboxRecord> Peek(ReadOnlyMemory<byte> text)
    {
        if (!Directory.Exists(sandboxes))
            yield break;
        foreach (var path in Directory.EnumerateFiles(sandboxes))
        {
            if (StateFile.TryPeek(path) is { } content && content.AsSpan().IndexOf(text.Span) >= 0 && Journal.Read(content).Last is { } record)
                yield return record;
        }
    }

    /// <summary>
    /// Every sandbox that has a journal, read without locks, one at a time: what is acted on must be opened, and looked at again.
    /// </summary>
    public IEnumerable<JournalSight> Survey()
    {
        if (!Directory.Exists(sandboxes))
            yield break;
        foreach (var path in Directory.EnumerateFiles(sandboxes))
        {
            var key = Path.GetFileName(path);
            var split = key.IndexOf('_');
            var written = LastWriteOf(key);
            if (split < 0 || written is null)
                continue;
            var content = StateFile.TryPeek(path);
            var (last, damaged, _) = content is null ? new(null, true, 0) : Journal.Read(content);
            // One that has gone since is nobody's.
            if (content is not null || File.Exists(path))
                yield return new JournalSight(key[..split], key[(split + 1)..], written.Value, last, damaged);
        }
    }

    /// <summary>When a journal was last written to, by this node's clock; null if there is none.</summary>
    public DateTimeOffset? LastWriteOf(string key)
    {
        var file = new FileInfo(Path.Combine(sandboxes, key));
        return file.Exists ? file.LastWriteTimeUtc : null;
    }

    /// <summary>Whether a container has a journal here under another Pod's UID.</summary>
    public bool IsOfAnotherPod(string containerId, string podUid) =>
        Directory.Exists(sandboxes)
        && Directory.EnumerateFiles(sandboxes).Select(path => Path.GetFileName(path)).Any(
            key => key.EndsWith($"_{containerId}", StringComparison.Ordinal)
                && key.IndexOf('_') == key.Length - containerId.Length - 1
                && key != SandboxRecord.KeyOf(podUid, containerId));

    /// <summary>Whether danm has ever attached a Pod here: elsewhere, nobody can say what lives on this machine.</summary>
    public bool Exists => Directory.Exists(sandboxes);

    /// <summary>
    /// Opens journals whose release is not complete, oldest first, without those that another call holds or that cannot be read.
    /// </summary>
    /// <param name="most">How many, so that one call does not carry a whole outage.</param>
    /// <param name="matches">Pod UID and container id.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<List<Journal>> FindDeferredAsync(int most, Func<string, string, bool> matches, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(matches);
        var found = new List<Journal>();
        if (!Directory.Exists(deferred))
            return found;
        foreach (var mark in new DirectoryInfo(deferred).GetFiles().OrderBy(f => f.LastWriteTimeUtc))
        {
            var split = mark.Name.IndexOf('_');
            if (found.Count == most || split < 0 || !matches(mark.Name[..split], mark.Name[(split + 1)..]))
                continue;
            try
            {
                var path = Path.Combine(sandboxes, mark.Name);
                if (await StateFile.OpenAsync(path, create: false, TimeSpan.Zero, cancellation).ConfigureAwait(false) is { } file)
                    found.Add(Open(file));
                else if (!File.Exists(path))
                    mark.Delete();
            }
            catch (IOException)
            {
                // One file that cannot be read must not keep the others from being released; DEL says what is wrong with it.
            }
        }

        return found;
    }

    /// <summary>Whether the kernel that the record was written under runs no more, or its namespace is gone: nothing can use it.</summary>
    public static bool IsDead(SandboxRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return IsOfAnotherBoot(record) || (record.Netns is { Length: > 0 } netns && IsGone(netns));
    }

    /// <summary>Whether the record was written before the node last booted.</summary>
    public static bool IsOfAnotherBoot(SandboxRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return record.BootId is { Length: > 0 } boot && BootId.Length > 0 && boot != BootId;
    }

    /// <summary>Whether no network namespace is at a path any more, not even one that cannot be opened just now.</summary>
    public static bool IsGone(string netns) => !NetworkNamespace.MayBeAt(netns);

    internal void Mark(string key)
    {
        MakeFolders();
        using (File.Create(Path.Combine(deferred, key)))
        {
        }

        StateFile.SyncFolder(deferred);
    }

    internal void Unmark(string key)
    {
        try
        {
            File.Delete(Path.Combine(deferred, key));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A mark without a journal is removed by whoever meets it.
        }
    }

    private Journal Open(StateFile file)
    {
        try
        {
            return new Journal(this, file);
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
            foreach (var folder in (ReadOnlySpan<string>)[outer ?? Folder, Folder, sandboxes, deferred])
            {
                if (Directory.Exists(folder))
                {
                    // Whoever can write in it can put other files in the place of ours.
                    if (FileStatus.Of(folder).FaultOfFolder is { } fault)
                        throw new IOException($"\"{folder}\" {fault}: it must be root's alone");
                    continue;
                }

                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                StateFile.SyncFolder(Path.GetDirectoryName(folder)!);
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static IOException Busy(string path, string containerId) =>
        new($"another call for container \"{containerId}\" is still at work (\"{path}\" is locked)");

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
