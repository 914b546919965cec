using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>
/// An interface that another network's plugins made before Danm was this node's network: the runtime calls Danm for its end, and nobody
/// else would give back its lease or its host ports. How it was made the runtime's own memory tells: libcni, by which containerd and
/// CRI-O call plugins, writes down each ADD until its DEL (libcni, <c>cachedInfo</c>).
/// </summary>
/// <param name="Path">Where it is written down.</param>
/// <param name="Network">The network's name.</param>
/// <param name="Made">The plugins, as ADD called them, and what they answered.</param>
internal sealed record EarlierAttachment(string Path, string Network, DelegateRecord Made)
{
    /// <summary>Beside Danm's folder, <c>/var/lib/cni/results</c>.</summary>
    public const string FolderName = "results";

    private const string Kind = "cniCacheV1";

    /// <summary>Looks for what is written down of a container's interface; null if nothing is, or Danm itself had been called.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="containerId">CNI_CONTAINERID.</param>
    /// <param name="interfaceName">CNI_IFNAME.</param>
    /// <exception cref="CniException">A file of it cannot be read, or is not valid.</exception>
    public static EarlierAttachment? Find(string folder, string containerId, string interfaceName)
    {
        if (!Directory.Exists(folder))
            return null;
        foreach (var path in Directory.EnumerateFiles(folder, $"*-{containerId}-{interfaceName}"))
        {
            if (DelegateFile.TryReadBytes(path) is { } json && Read(json, path, containerId, interfaceName) is { } found)
                return found;
        }

        return null;
    }

    /// <summary>Forgets it, as libcni does after a DEL.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Forget() => File.Delete(Path);

    private static EarlierAttachment? Read(ReadOnlyMemory<byte> json, string path, string containerId, string interfaceName)
    {
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
        var made = new DelegatePlan(list, IpamSource.Delegate, capabilities).Compose([]);
        return new EarlierAttachment(path, list.Name, made with { Result = result is { } text ? System.Text.Encoding.UTF8.GetString(text.Span) : null });
    }

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
