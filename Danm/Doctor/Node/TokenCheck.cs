using System.Runtime.CompilerServices;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Doctor.Node;

/// <summary>Whether the plugin's token is this node's, and is renewed in time.</summary>
internal sealed class TokenCheck(NodeView node, TimeProvider clock) : ICheck
{
    private const string Installer = "look at the installer's Pod on this node and its log; if it is well, delete the token, and it asks for another";

    /// <inheritdoc/>
    public string Id => "node-token";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        yield return await LookAsync(cancellation).ConfigureAwait(false) is { } token
            ? Judge(TokenClaims.Read(token), node.Config.NodeName, clock.GetUtcNow())
            : Finding.Info($"{node.KubeconfigPath} has no token: the plugin has other credentials", "they are for whoever made them to renew");
    }

    /// <summary>What a token's claims are worth at a time.</summary>
    /// <param name="claims">Null: it says nothing.</param>
    /// <param name="nodeName">This node, as the configuration says; null: it does not.</param>
    /// <param name="now">The time.</param>
    internal static Finding Judge(TokenClaims? claims, string? nodeName, DateTimeOffset now) => claims switch
    {
        null => Finding.Warning("the token does not say whose it is or when it ends", "give the node one by danm install, which is bound to it"),
        { ExpiresAt: { } end } when end <= now => Finding.Failed($"the token has expired at {end:u}: no Pod of this node starts", Installer),
        { NodeName: { } bound } when nodeName is not null && bound != nodeName =>
            Finding.Failed($"the token is of node {CniText.Quote(bound)}, and this node is {CniText.Quote(nodeName)}", "delete it, and the installer asks for another; was this machine copied from another node?"),
        { NodeName: null } => Finding.Warning("the token is bound to no node: whoever has it may act for every one", "delete it, and the installer asks for one that is (Kubernetes 1.31 or later)"),
        // The installer renews at half-life; a tenth more, since it may be at it.
        { ExpiresAt: { } end, IssuedAt: { } start } when now - start > (end - start) * 0.6 =>
            Finding.Warning($"the token has not been renewed at half its life; it expires at {end:u}", Installer),
        { ExpiresAt: { } end } => Finding.Ok($"the token is of node {CniText.Quote(claims.NodeName)}, and good until {end:u}"),
        _ => Finding.Warning("the token never expires", "delete it, and the installer asks for one that is renewed"),
    };

    private async Task<string?> LookAsync(CancellationToken cancellation)
    {
        try
        {
            var configuration = KubeConfig.Load(node.KubeconfigPath);
            return configuration.TokenProvider is { } provider
                ? (await provider.GetAuthenticationHeaderAsync(cancellation).ConfigureAwait(false)).Parameter
                : configuration.AccessToken;
        }
        catch (KubeConfigException e) when (!File.Exists(node.KubeconfigPath) || e.InnerException is null)
        {
            throw new CheckSkippedException("the node's kubeconfig cannot be used: see node-kubeconfig");
        }
    }
}
