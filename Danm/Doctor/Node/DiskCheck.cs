using System.Runtime.CompilerServices;

namespace Danm.Doctor.Node;

/// <summary>Whether the folders that Danm writes to can be written to. They are not tried: that would be a change.</summary>
/// <param name="node">The node.</param>
/// <param name="mounts">/proc/self/mountinfo; another one is for tests.</param>
internal sealed class DiskCheck(NodeView node, string mounts = "/proc/self/mountinfo") : ICheck
{
    // A journal has some kilobytes, an executable 40 megabytes while it is replaced.
    private const long Least = 100 << 20, None = 1 << 20;

    /// <inheritdoc/>
    public string Id => "node-disk";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var table = await File.ReadAllLinesAsync(mounts, cancellation).ConfigureAwait(false);
        var wrong = false;
        foreach (var (folder, use) in ((string, string)[])[(node.Folders.State, "no Pod starts, and none can be released for good"), (node.Folders.Conf, "the token is not renewed"), (node.Folders.Bin, "the plugin is not updated")])
        {
            var there = folder;
            while (!Directory.Exists(there) && Path.GetDirectoryName(there) is { } above)
                there = above;
            var free = new DriveInfo(there).AvailableFreeSpace;
            Finding? finding = IsReadOnly(table, there) ? Finding.Failed($"{folder} is on a read-only file system: {use}", "mount it writable; a disk with errors is made read-only by the kernel: dmesg says so")
                : free < None ? Finding.Failed($"the disk of {folder} is full: {use}", "free some space")
                : free < Least ? Finding.Warning($"the disk of {folder} has {free >> 20} MB left", "free some space")
                : null;
            wrong |= finding is not null;
            if (finding is not null)
                yield return finding;
        }

        if (!wrong)
            yield return Finding.Ok("the folders can be written to, and have space");
    }

    /// <summary>Whether what a path is on is mounted read-only, by the lines of proc(5) mountinfo; of two mounts at one place the later one counts.</summary>
    internal static bool IsReadOnly(IEnumerable<string> table, string path)
    {
        var (longest, readOnly) = (-1, false);
        foreach (var line in table)
        {
            // id parent major:minor root place options … - type source options
            var fields = line.Split(' ');
            if (fields.Length < 6)
                continue;
            var place = fields[4].Replace("\\040", " ", StringComparison.Ordinal);
            if (place.Length < longest || !IsBelow(path, place))
                continue;
            var end = Array.IndexOf(fields, "-");
            var ofDisk = end >= 0 && fields.Length > end + 3 && fields[end + 3].Split(',').Contains("ro");
            (longest, readOnly) = (place.Length, ofDisk || fields[5].Split(',').Contains("ro"));
        }

        return readOnly;
    }

    private static bool IsBelow(string path, string place) => place == "/" || path == place || path.StartsWith(place + "/", StringComparison.Ordinal);
}
