using System.Net;
using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Calls;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Install;

/// <summary>
/// What the CNI plugin reaches the API server with: a kubeconfig and a token in a folder of root's. The token is asked for by the
/// TokenRequest API and bound to the Node: it outlives the installer's Pod, and ends with the Node.
/// </summary>
/// <param name="api">The API server.</param>
/// <param name="options">What the installer was told.</param>
/// <param name="log">The log.</param>
/// <param name="clock">The time.</param>
internal sealed class ApiAccess(ApiClient api, InstallOptions options, ILogger log, TimeProvider clock)
{
    /// <summary>The folder within the runtime's; runtimes look at no folders.</summary>
    public const string Folder = "danm.d";

    /// <summary>The kubeconfig's name there.</summary>
    public const string KubeconfigName = "kubeconfig";

    private const string TokenName = "token";
    private const long Lifetime = 24 * 60 * 60;

    // A token ends with its Node, and with its account: whether that was made anew is seen within this time.
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);

    // Another API server may not know yet what one has just given.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private (string Uid, long AskedAt)? node;
    private (string Token, string NodeUid, long At)? unwritten;
    private (byte[] Kubeconfig, long At, string? Fault)? probe;
    private long? renewedAt;

    /// <summary>Brings both to what they shall be.</summary>
    /// <returns>How long the token is good until it is to be renewed.</returns>
    /// <exception cref="ApiException">No token could be had, or the server does not answer where Pods' interfaces are made from.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="InstallException">There is no such Node, or the server refuses what it has given.</exception>
    public async Task<TimeSpan> EnsureAsync(CancellationToken cancellation)
    {
        var folder = Path.Combine(options.ConfDir, Folder);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        NodeFiles.Sweep(folder);
        var (token, path) = (Path.Combine(folder, TokenName), Path.Combine(folder, KubeconfigName));
        var uid = await NodeUidAsync(cancellation).ConfigureAwait(false);
        var left = await LeftAsync(token, uid, cancellation).ConfigureAwait(false);
        if (left <= TimeSpan.Zero)
            left = await RenewAsync(token, uid, "it is due", cancellation).ConfigureAwait(false);

        var kubeconfig = Kubeconfig();
        if (!IsProbed(kubeconfig))
        {
            var fault = await FaultAsync(kubeconfig, path, cancellation).ConfigureAwait(false);
            if (fault == Refusal && (renewedAt is not { } at || clock.GetElapsedTime(at) >= Fresh))
            {
                left = await RenewAsync(token, uid, "the API server refuses the one before", cancellation).ConfigureAwait(false);
                fault = await FaultAsync(kubeconfig, path, cancellation).ConfigureAwait(false);
            }

            probe = (kubeconfig, clock.GetTimestamp(), fault);
        }

        if (probe?.Fault is { } wrong)
            throw new InstallException(wrong);
        // What is there may work, and is replaced by what does.
        if (!NodeFiles.Has(path, kubeconfig, NodeFiles.Secret))
            NodeFiles.Write(path, kubeconfig, NodeFiles.Secret);
        return left;
    }

    /// <summary>Removes both.</summary>
    /// <exception cref="IOException">They cannot be removed.</exception>
    public static void Remove(string confDir)
    {
        var folder = Path.Combine(confDir, Folder);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>
    /// How much of the first half of its life the token has left: by how old the file is here and how long the server said that it lives, so
    /// that clocks need not agree. Zero: it is to be renewed; that of another Node or an earlier one of this name, too.
    /// </summary>
    private async Task<TimeSpan> LeftAsync(string path, string nodeUid, CancellationToken cancellation)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.LinkTarget is not null || file.UnixFileMode != NodeFiles.Secret || file.Length > 1 << 16)
            return TimeSpan.Zero;
        if (TokenClaims.Read(await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false)) is not { } claims
            || claims.NodeName != options.NodeName || claims.NodeUid != nodeUid)
            return TimeSpan.Zero;
        var age = clock.GetUtcNow() - file.LastWriteTimeUtc;
        var half = claims.Lifetime / 2;
        return age < TimeSpan.Zero || age >= half ? TimeSpan.Zero : half - age;
    }

    private async Task<TimeSpan> RenewAsync(string path, string nodeUid, string cause, CancellationToken cancellation)
    {
        // One that could not be written is tried again; where there is no room, not each round makes a new one.
        if (unwritten is not { } given || given.NodeUid != nodeUid || clock.GetElapsedTime(given.At) >= Fresh)
            unwritten = given = (await RequestAsync(nodeUid, cancellation).ConfigureAwait(false), nodeUid, clock.GetTimestamp());
        NodeFiles.Write(path, Encoding.ASCII.GetBytes(given.Token), NodeFiles.Secret);
        (unwritten, probe, renewedAt) = (null, null, clock.GetTimestamp());
        log.Renewed(cause);
        return await LeftAsync(path, nodeUid, cancellation).ConfigureAwait(false);
    }

    private string Refusal =>
        $"{options.Server} refuses a token that has just been given for the account {options.Namespace}/{options.ServiceAccount}: it must be the cluster that the installer talks to (--server), and take tokens of its own default audience";

    /// <summary>Whether the server has just been asked what it says of this kubeconfig and its token.</summary>
    private bool IsProbed(byte[] kubeconfig) =>
        probe is { } last && last.Kubeconfig.AsSpan().SequenceEqual(kubeconfig) && clock.GetElapsedTime(last.At) < (last.Fault is null ? Fresh : Soon);

    /// <summary>
    /// Why the node's Pods could not start by these; null: the server takes the token. A young one may be refused because its account was made
    /// anew, or its signing key has gone.
    /// </summary>
    /// <exception cref="ApiException">The API server is away, by whatever address.</exception>
    private async Task<string?> FaultAsync(byte[] kubeconfig, string path, CancellationToken cancellation)
    {
        try
        {
            using var plugin = new ApiClient(KubeConfig.Read(kubeconfig, path), Patience);
            await plugin.GetVersionAsync(cancellation).ConfigureAwait(false);
            return null;
        }
        catch (KubeConfigException e)
        {
            return $"the node's Pods could not reach the API server by what the installer was told (--server, ca.crt): {e.Message}";
        }
        catch (ApiException e) when (e.Code is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
        {
            // Who is forbidden to ask is known.
            return e.Code == HttpStatusCode.Unauthorized ? Refusal : null;
        }
        catch (ApiException e)
        {
            if (e.IsTransient && await IsAwayAsync(cancellation).ConfigureAwait(false))
                throw;
            return $"the node's Pods cannot reach the API server by {options.Server} (--server), but the installer does: {e.Message}";
        }
    }

    private async Task<bool> IsAwayAsync(CancellationToken cancellation)
    {
        try
        {
            await api.GetVersionAsync(cancellation).ConfigureAwait(false);
            return false;
        }
        catch (ApiException e)
        {
            return e.IsTransient;
        }
    }

    private async Task<string> NodeUidAsync(CancellationToken cancellation)
    {
        if (node is { } known && clock.GetElapsedTime(known.AskedAt) < Fresh)
            return known.Uid;
        var present = await api.TryGetMetadataAsync(ResourcePath.Core("nodes", null, options.NodeName), ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false)
            ?? throw new InstallException($"there is no Node {options.NodeName}: NODE_NAME must be what 'kubectl get nodes' says (spec.nodeName of the Pod)");
        node = (present.Metadata.Uid ?? "", clock.GetTimestamp());
        return present.Metadata.Uid ?? "";
    }

    private async Task<string> RequestAsync(string nodeUid, CancellationToken cancellation)
    {
        var request = new TokenRequest
        {
            Spec = new TokenRequestSpec
            {
                ExpirationSeconds = Lifetime,
                BoundObjectRef = new BoundObjectReference { Kind = "Node", ApiVersion = "v1", Name = options.NodeName, Uid = nodeUid },
            },
        };
        var path = ResourcePath.Core("serviceaccounts", options.Namespace, options.ServiceAccount).Token;
        var answer = await api.CreateAsync(path, request, InstallJson.Default.TokenRequest, cancellation).ConfigureAwait(false);
        return answer.Object.Status?.Token is { Length: > 0 } token ? token : throw new InstallException($"the API server gave no token for {options.Namespace}/{options.ServiceAccount}");
    }

    private byte[] Kubeconfig()
    {
        var authority = options.CertificateAuthority();
        var file = new KubeConfigFile
        {
            CurrentContext = "danm",
            Clusters = [new() { Name = "danm", Cluster = new() { Server = options.Server, CertificateAuthorityData = authority.Length > 0 ? Convert.ToBase64String(authority) : null } }],
            // Beside the kubeconfig, wherever that is: here and on the host.
            Users = [new() { Name = "danm", User = new() { TokenFile = TokenName } }],
            Contexts = [new() { Name = "danm", Context = new() { Cluster = "danm", User = "danm" } }],
        };
        return JsonSerializer.SerializeToUtf8Bytes(file, InstallJson.Default.KubeConfigFile);
    }
}
