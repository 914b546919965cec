using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Danm.Api;

namespace Danm.Webhook.Certificates;

/// <summary>What the Secret of <c>--self-signed</c> holds: an authority with its key, and the certificate that it made.</summary>
/// <param name="Authorities">All that a client may still meet a certificate of; the first signs.</param>
/// <param name="AuthorityKey">The first one's key, PEM.</param>
/// <param name="Certificate">The server's, with its key.</param>
internal sealed record KeyMaterial(X509Certificate2Collection Authorities, string AuthorityKey, X509Certificate2 Certificate)
{
    /// <summary>The members of the Secret, as cert-manager calls them too.</summary>
    public const string CertificateName = "tls.crt", KeyName = "tls.key", AuthoritiesName = "ca.crt", AuthorityKeyName = "ca.key";

    /// <summary>What an API server must trust: PEM.</summary>
    public string Bundle => string.Concat(Authorities.Select(a => a.ExportCertificatePem() + "\n"));

    /// <summary>Reads it back; null if anything is missing or does not fit.</summary>
    public static KeyMaterial? Read(Secret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Text(AuthoritiesName));
            var certificate = X509Certificate2.CreateFromPem(Text(CertificateName), Text(KeyName));
            if (authorities.Count == 0)
                return null;
            // That key and authority belong together.
            using var signer = X509Certificate2.CreateFromPem(authorities[0].ExportCertificatePem(), Text(AuthorityKeyName));
            using var key = signer.GetECDsaPrivateKey();
            using var own = certificate.GetECDsaPrivateKey();
            // One of another kind is somebody else's, and nothing here could sign with it.
            if (key is null || own is null)
                return null;
            return new KeyMaterial(authorities, Text(AuthorityKeyName), certificate);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }

        string Text(string name) => Encoding.ASCII.GetString(secret.Data?.GetValueOrDefault(name) ?? []);
    }

    /// <summary>The members of the Secret.</summary>
    public Dictionary<string, byte[]> ToData()
    {
        using var key = Certificate.GetECDsaPrivateKey()!;
        return new()
        {
            [CertificateName] = Encoding.ASCII.GetBytes(Certificate.ExportCertificatePem() + "\n"),
            [KeyName] = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"),
            [AuthoritiesName] = Encoding.ASCII.GetBytes(Bundle),
            [AuthorityKeyName] = Encoding.ASCII.GetBytes(AuthorityKey + "\n"),
        };
    }
}
