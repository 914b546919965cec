using System.Text;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>
/// An interface that another network's plugins made before Danm was this node's network: the runtime calls Danm for its end, and nobody
/// else would give back its lease or its host ports. How it was made the runtime's own memory tells: libcni, by which containerd and
/// CRI-O call plugins, writes down each ADD until its DEL (libcni, <c>cachedInfo</c>).
/// </summary>
internal sealed class EarlierAttachment : IDisposable
{
    /// <summary>Beside Danm's folder, <c>/var/lib/cni/results</c>.</summary>
    public const string FolderName = "results";

    private const string Kind = "cniCacheV1";

    private readonly StateFile file;

    private EarlierAttachment(StateFile file, string network, DelegateRecord made) => (this.file, Network, Made) = (file, network, made);

    /// <summary>The network's name.</summary>
    public string Network { get; }

    /// <summary>The plugins, as ADD called them, and what they answered.</summary>
    public DelegateRecord Made { get; }

    /// <summary>Where it is written down.</summary>
    public string Path => file.Path;

    /// <summary>
    /// Looks for what is written down of a container's interface, and locks it; null if nothing is, or Danm itself had been called.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="containerId">CNI_CONTAINERID.</param>
    /// <param name="interfaceName">CNI_IFNAME.</param>
    /// <param name="wait">How long another call may take that ends it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="CniException">A file of it is not to be trusted or not valid; code 11: another call is ending it.</exception>
    /// <exception cref="IOException">A file of it cannot be read.</exception>
    public static async Task<EarlierAttachment?> FindAsync(string folder, string containerId, string interfaceName, TimeSpan wait, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
            return null;
        foreach (var path in Directory.EnumerateFiles(folder, $"*-{containerId}-{interfaceName}"))
        {
            if (new FileInfo(path).LinkTarget is not null)
                throw Refused(path, "is a symbolic link");
            var file = await StateFile.OpenAsync(path, create: false, wait, cancellation).ConfigureAwait(false);
            if (file is null && File.Exists(path))
                throw new CniException(CniErrorCode.TryAgainLater, $"another call is ending what {path} says of container {containerId}");
            try
            {
                if (file is not null && Read(file, containerId, interfaceName) is { } found)
                {
                    file = null;
                    return found;
                }
            }
            finally
            {
                file?.Dispose();
            }
        }

        return null;
    }

    /// <summary>Forgets it, as libcni does after a DEL.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Forget() => file.Delete();

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static EarlierAttachment? Read(StateFile file, string containerId, string interfaceName)
    {
        var path = file.Path;
        if (file.Fault is { } fault)
            throw Refused(path, fault);
        var json = file.ReadTail(CniJsonReader.MaxBytes + 1);
        var (kind, container, ifName) = ("", "", "");
        string? config = null;
        ReadOnlyMemory<byte>? capabilities = null, result = null;
        var reader = new CniJsonReader(json, path, CniErrorCode.DecodeFailure);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("kind"u8))
                kind = reader.String("kind");
            else if (key.SequenceEqual("containerId"u8))
                container = reader.String("containerId");
            else if (key.SequenceEqual("ifName"u8))
                ifName = reader.String("ifName");
            else if (key.SequenceEqual("config"u8))
                config = reader.String("config", CniJsonReader.MaxBytes);
            else if (key.SequenceEqual("capabilityArgs"u8) && reader.IsObject("capabilityArgs"))
                capabilities = reader.RawValue();
            else if (key.SequenceEqual("result"u8) && reader.IsObject("result"))
                result = reader.RawValue();
            else
                reader.SkipValue();
        }

        reader.ReadToEnd();
        // A name with dashes may end like another one's.
        if (kind != Kind || container != containerId || ifName != interfaceName || config is null)
            return null;
        var list = NetworkListReader.Read(Decode(config, path), path);
        if (list.Plugins.Any(p => p.Type is "danm" or "fakeipam"))
            return null;
        var answered = result is { } told ? VersionOf(told, path) : null;
        // Of several versions, runtimes of another age choose another one.
        if (answered is not null && list.Versions.Contains(answered) && SpecVersion.TryParse(answered, out var chosen))
            list = list with { Version = chosen };
        // As libcni does: a plugin may have answered in another version than it was asked in.
        if (result is { } answer && list.Version is { } version && answered != version.ToString())
            result = TryWrite(answer, version, path);
        var made = new DelegatePlan(list, IpamSource.Delegate, capabilities).Compose([]);
        return new EarlierAttachment(file, list.Name, made with { Result = result is { } text ? Encoding.UTF8.GetString(text.Span) : null });
    }

    private static ReadOnlyMemory<byte>? TryWrite(ReadOnlyMemory<byte> result, SpecVersion version, string path)
    {
        try
        {
            return CniResultWriter.Write(CniResultReader.Read(result, path), version);
        }
        catch (CniException)
        {
            return null;
        }
    }

    private static string? VersionOf(ReadOnlyMemory<byte> result, string path)
    {
        string? version = null;
        var reader = new CniJsonReader(result, path, CniErrorCode.DecodeFailure);
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("cniVersion"u8))
                version = reader.String("cniVersion");
            else
                reader.SkipValue();
        }

        return version;
    }

    private static CniException Refused(string path, string why) => new(CniErrorCode.IoFailure, $"the file {path} {why}, so it is not used");

    private static byte[] Decode(string config, string path)
    {
        try
        {
            return Convert.FromBase64String(config);
        }
        catch (FormatException e)
        {
            throw new CniException(CniErrorCode.DecodeFailure, $"{path}: config is not in base64", inner: e);
        }
    }
}
