using System.Security.Cryptography.X509Certificates;

namespace Danm.Webhook.Certificates;

/// <summary>
/// When a certificate of our own is replaced, and by what: after two thirds of its life, so that a third is left for whatever goes wrong.
/// The authority lives ten times as long; when it goes, its successor signs, and both are trusted as long as certificates of both exist.
/// </summary>
/// <param name="Names">The server's names.</param>
/// <param name="Validity">How long a server certificate lives.</param>
internal sealed record CertificateRotation(IReadOnlyList<string> Names, TimeSpan Validity)
{
    private TimeSpan AuthorityValidity => Validity * 10;

    /// <summary>How often it is worth a look.</summary>
    public TimeSpan Pause => Validity / 30 < TimeSpan.FromMinutes(1) ? Validity / 30 : TimeSpan.FromMinutes(1);

    /// <summary>What is to be served at this moment: the same object if nothing has to change.</summary>
    /// <param name="material">What there is; null: nothing that can be used.</param>
    /// <param name="now">The time.</param>
    public KeyMaterial Next(KeyMaterial? material, DateTimeOffset now)
    {
        if (material is null)
        {
            var authority = CertificateIssuer.Authority(now, AuthorityValidity);
            return Issue(authority, [], now);
        }

        var first = material.Authorities[0];
        // A certificate must not outlive who vouches for it.
        if (first.NotAfter < now + (Validity * 2))
            return Issue(CertificateIssuer.Authority(now, AuthorityValidity), [.. material.Authorities.Where(a => a.NotAfter > now)], now);
        if (material.Certificate.NotAfter > now + (Validity / 3) && Names.All(n => material.Certificate.MatchesHostname(n, allowWildcards: false)))
            return material;
        var signer = X509Certificate2.CreateFromPem(first.ExportCertificatePem(), material.AuthorityKey);
        return Issue(signer, [.. material.Authorities.Skip(1).Where(a => a.NotAfter > now)], now);
    }

    private KeyMaterial Issue(X509Certificate2 authority, X509Certificate2Collection former, DateTimeOffset now)
    {
        using var key = authority.GetECDsaPrivateKey()!;
        return new KeyMaterial(
            [X509CertificateLoader.LoadCertificate(authority.RawData), .. former], key.ExportPkcs8PrivateKeyPem(), CertificateIssuer.Server(authority, Names, now, Validity));
    }
}
