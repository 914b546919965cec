using Danm.State;

namespace Danm.Tests.State;

/// <summary>A node's state in a folder of one test, with the files below it in reach.</summary>
internal sealed class TemporaryState : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("danm-state-").FullName;

    public TemporaryState()
    {
        Folder = Path.Combine(root, "danm");
        Node = new NodeState(Folder);
    }

    public string Folder { get; }

    public NodeState Node { get; }

    public string Sandbox(string key) => Path.Combine(Folder, "sandboxes", key);

    public string Mark(string key) => Path.Combine(Folder, "deferred", key);

    public Task<Journal> CreateAsync(string podUid = "u", string containerId = "c", int waitMilliseconds = 0) =>
        Node.CreateAsync(podUid, containerId, TimeSpan.FromMilliseconds(waitMilliseconds), CancellationToken.None);

    /// <summary>Writes a record and unlocks.</summary>
    public async Task WriteAsync(SandboxRecord record)
    {
        using var journal = await CreateAsync(record.PodUid, record.ContainerId);
        journal.Write(record, durable: true);
    }

    /// <summary>Defers a record and unlocks.</summary>
    public async Task DeferAsync(SandboxRecord record)
    {
        using var journal = await CreateAsync(record.PodUid, record.ContainerId);
        journal.Defer(record);
    }

    public Task<List<Journal>> FindAsync(Func<string, string, bool> matches, int waitMilliseconds = 0) =>
        Node.FindAsync(matches, TimeSpan.FromMilliseconds(waitMilliseconds), CancellationToken.None);

    public Task<List<Journal>> FindDeferredAsync(int most = 10, Func<string, string, bool>? matches = null) =>
        Node.FindDeferredAsync(most, matches ?? ((_, _) => true), CancellationToken.None);

    public void Dispose() => Directory.Delete(root, recursive: true);
}
