using System.Security.Cryptography;

namespace Danm.Install;

/// <summary>The executable in the runtime's folder, under its name and that of the IPAM plugin.</summary>
/// <param name="binDir">The folder.</param>
/// <param name="source">The executable to install.</param>
internal sealed class PluginFiles(string binDir, string source)
{
    private const string Main = "danm", Ipam = "fakeipam";

    private byte[]? wanted;
    private (DateTime Written, long Length) checkedFile;

    /// <summary>What is installed.</summary>
    public static IReadOnlyList<string> Names => [Main, Ipam];

    /// <summary>Brings both to what they shall be; calls that go on keep the file that they began with.</summary>
    /// <returns>Whether anything had to be written.</returns>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public bool Ensure()
    {
        Directory.CreateDirectory(binDir);
        var (main, ipam) = (Path.Combine(binDir, Main), Path.Combine(binDir, Ipam));
        var isNew = !IsCurrent(main);
        if (isNew)
        {
            NodeFiles.Copy(source, main);
            Remember(main);
        }

        if (new FileInfo(ipam).LinkTarget == Main)
            return isNew;
        NodeFiles.Link(ipam, Main);
        return true;
    }

    // Thirty megabytes are read once, and again only when somebody has touched the file.
    private bool IsCurrent(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null || file.UnixFileMode != NodeFiles.Program)
            return false;
        if (checkedFile == (file.LastWriteTimeUtc, file.Length))
            return true;
        if (!Hash(path).SequenceEqual(wanted ??= Hash(source)))
            return false;
        Remember(path);
        return true;
    }

    private void Remember(string path)
    {
        var file = new FileInfo(path);
        checkedFile = (file.LastWriteTimeUtc, file.Length);
    }

    private static byte[] Hash(string path)
    {
        using var file = File.OpenRead(path);
        return SHA256.HashData(file);
    }
}
