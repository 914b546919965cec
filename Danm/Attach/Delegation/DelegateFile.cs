using System.Runtime.InteropServices;
using Danm.Api;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Networks;
using Danm.State;
using Microsoft.Win32.SafeHandles;

namespace Danm.Attach.Delegation;

/// <summary>
/// The file that an administrator put on the node for a network: <c>NetworkID.conf</c>, <c>.json</c> or <c>.conflist</c> in cniDir. A
/// tenant chooses the name, and what the file says runs as root: so only a plain file counts, root's, that nobody else can write.
/// </summary>
internal static partial class DelegateFile
{
    private const int O_CLOEXEC = 0x80000, O_NONBLOCK = 0x800, ENOENT = 2, ELOOP = 40;
    private static readonly string[] Extensions = [".conf", ".json", ".conflist"];

    /// <summary>The files of those networks whose types need one.</summary>
    /// <exception cref="CniException">One is missing, not to be trusted, or not valid.</exception>
    public static IReadOnlyDictionary<NetworkRef, NetworkList> ReadAll(IReadOnlyList<Network> networks, string cniDir)
    {
        var files = new Dictionary<NetworkRef, NetworkList>();
        foreach (var network in networks)
        {
            // Names that are none are the planner's to refuse.
            if (NetworkTypes.IsDynamic(network.Spec.NetworkType) || files.ContainsKey(network.Ref) || NetworkRules.Check(network).Count > 0)
                continue;
            files[network.Ref] = Read(network, cniDir)!;
        }

        return files;
    }

    /// <summary>The file of a network, whatever else may be wrong with it; null if its type needs none.</summary>
    /// <exception cref="CniException">It is missing, not to be trusted, or not valid.</exception>
    public static NetworkList? Read(Network network, string cniDir)
    {
        if (NetworkTypes.IsDynamic(network.Spec.NetworkType))
            return null;
        if (network.Spec.NetworkId is not { Length: > 0 } id)
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: spec.NetworkID is missing, the name of its plugin's file in {cniDir}");
        if (!Names.IsPlain(id, NetworkRules.MaxIdLength))
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} cannot be used: spec.NetworkID {CniText.Quote(id)} is no name of a file");
        return TryRead(cniDir, id) ?? throw new CniException(
            CniErrorCode.InvalidNetwork,
            $"{network.Ref} has spec.NetworkType {CniText.Quote(network.Spec.NetworkType)}, but there is no {id}.conf, .json or .conflist in {cniDir} on this node: put its plugin's configuration there");
    }

    /// <summary>Reads the first of the three that is there.</summary>
    /// <param name="cniDir">The folder.</param>
    /// <param name="networkId">The name; a plain one (<see cref="Networks.Names.IsPlain"/>).</param>
    /// <returns>The content; null if there is none of the three.</returns>
    /// <exception cref="CniException">The file is not to be trusted, or not valid.</exception>
    public static NetworkList? TryRead(string cniDir, string networkId)
    {
        foreach (var extension in Extensions)
        {
            var path = Path.Combine(cniDir, networkId + extension);
            if (TryReadBytes(path) is { } json)
                return NetworkListReader.Read(json, path);
        }

        return null;
    }

    /// <summary>Reads a file that only root can have written; null if there is none.</summary>
    /// <exception cref="CniException">It is not to be trusted, or cannot be read.</exception>
    public static byte[]? TryReadBytes(string path)
    {
        var fd = open(path, OpenFlags.NoFollow | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
        {
            return Marshal.GetLastPInvokeError() switch
            {
                ENOENT => null,
                ELOOP => throw Refused(path, "is a symbolic link"),
                var errno => throw new CniException(CniErrorCode.IoFailure, $"cannot open {CniText.Quote(path)}: {Marshal.GetPInvokeErrorMessage(errno)}"),
            };
        }

        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (FileStatus.Of(handle).Fault is { } fault)
            throw Refused(path, fault);
        var length = RandomAccess.GetLength(handle);
        if (length > CniJsonReader.MaxBytes)
            throw Refused(path, $"is larger than {CniJsonReader.MaxBytes} bytes");
        var content = new byte[length];
        var read = 0;
        while (read < content.Length && RandomAccess.Read(handle, content.AsSpan(read), read) is > 0 and var n)
            read += n;
        return content.AsSpan(0, read).ToArray();
    }

    private static CniException Refused(string path, string why) =>
        new(CniErrorCode.InvalidNetwork, $"{CniText.Quote(path)} {why}, so it is not used: a network's file must be a regular file of root that nobody else can write");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags);
}
