using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Danm.Tests.ApiServer.Security;

/// <summary>Who asks: by bearer token, else by client certificate. Anyone else is 401.</summary>
public sealed class Authenticator(CertificateAuthority authority, IEnumerable<KeyValuePair<string, string>> tokens)
{
    private const string CertificateUser = "certificate-user";

    /// <summary>User by token; may change while the server runs.</summary>
    public ConcurrentDictionary<string, string> Tokens { get; } = new(tokens);

    public UserInfo Authenticate(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            var token = authorization[7..].Trim();
            return TokenClaims.Holder(token, Tokens.GetValueOrDefault(token) ?? throw StatusException.Unauthorized());
        }

        var connection = context.Features.Get<IConnectionItemsFeature>()!.Items;
        if (connection.TryGetValue(CertificateUser, out var known))
            return (UserInfo)known!;
        if (context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate || !IsOurs(certificate))
            throw StatusException.Unauthorized();
        var user = new UserInfo(certificate.GetNameInfo(X509NameType.SimpleName, false));
        connection[CertificateUser] = user;
        return user;
    }

    private bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority.Certificate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
