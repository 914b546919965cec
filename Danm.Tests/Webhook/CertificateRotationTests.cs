using System.Security.Cryptography.X509Certificates;
using Danm.Api;
using Danm.Webhook.Certificates;

namespace Danm.Tests.Webhook;

public sealed class CertificateRotationTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);

    private readonly CertificateRotation rotation = new(["svc.ns.svc", "svc.ns"], Year);

    [Test]
    public void The_first_one_is_for_the_names_and_vouched_for_by_the_authority()
    {
        var material = rotation.Next(null, Start);

        material.Certificate.MatchesHostname("svc.ns.svc").Should().BeTrue();
        material.Certificate.MatchesHostname("svc.ns").Should().BeTrue();
        material.Certificate.MatchesHostname("svc").Should().BeFalse();
        Verifies(material, material.Certificate, Start.AddDays(1)).Should().BeTrue();
        Verifies(rotation.Next(null, Start), material.Certificate, Start.AddDays(1)).Should().BeFalse("another authority does not vouch for it");
    }

    [TestCase(0, false)]
    [TestCase(243, false)]
    [TestCase(244, true)]
    [TestCase(400, true)]
    public void A_certificate_is_replaced_after_two_thirds_of_its_life(int days, bool isReplaced)
    {
        var material = rotation.Next(null, Start);

        var next = rotation.Next(material, Start.AddDays(days));

        ReferenceEquals(next, material).Should().Be(!isReplaced);
        next.Authorities[0].Thumbprint.Should().Be(material.Authorities[0].Thumbprint);
        if (isReplaced)
            next.Certificate.NotAfter.ToUniversalTime().Should().BeAfter(material.Certificate.NotAfter.ToUniversalTime());
    }

    [Test]
    public void Another_Service_name_makes_another_certificate()
    {
        var material = rotation.Next(null, Start);

        var next = new CertificateRotation(["other.ns.svc"], Year).Next(material, Start);

        next.Certificate.MatchesHostname("other.ns.svc").Should().BeTrue();
        next.Authorities[0].Thumbprint.Should().Be(material.Authorities[0].Thumbprint);
    }

    // A replica that has not looked yet serves the old one, and is called all the same.
    [Test]
    public void In_twenty_years_of_daily_looks_what_a_replica_serves_is_always_trusted_by_the_bundle()
    {
        var material = rotation.Next(null, Start);
        var authorities = new HashSet<string>();
        for (var day = 0; day < 365 * 20; day++)
        {
            var now = Start.AddDays(day);
            var before = material;
            material = rotation.Next(material, now);
            if (!ReferenceEquals(material, before))
                Verifies(material, before.Certificate, now).Should().BeTrue($"the former one on day {day}");
            if (day % 10 == 0)
                Verifies(material, material.Certificate, now).Should().BeTrue($"day {day}");
            (material.Certificate.NotAfter.ToUniversalTime() <= material.Authorities[0].NotAfter.ToUniversalTime()).Should().BeTrue();
            material.Authorities.Count.Should().BeLessThanOrEqualTo(2);
            authorities.Add(material.Authorities[0].Thumbprint);
        }

        authorities.Count.Should().BeInRange(2, 4);
    }

    [Test]
    public void What_the_Secret_holds_reads_back()
    {
        var material = rotation.Next(null, Start);

        var read = KeyMaterial.Read(new Secret { Data = material.ToData() })!;

        read.Certificate.Thumbprint.Should().Be(material.Certificate.Thumbprint);
        read.Certificate.HasPrivateKey.Should().BeTrue();
        rotation.Next(read, Start.AddDays(300)).Authorities[0].Thumbprint.Should().Be(material.Authorities[0].Thumbprint, "its key is there too");
    }

    [TestCase("tls.crt")]
    [TestCase("tls.key")]
    [TestCase("ca.crt")]
    [TestCase("ca.key")]
    public void A_Secret_that_lacks_a_part_or_mixes_two_is_no_material(string part)
    {
        var (data, other) = (rotation.Next(null, Start).ToData(), rotation.Next(null, Start).ToData());

        foreach (var value in (byte[]?[])[null, [], [1, 2, 3]])
        {
            var broken = new Dictionary<string, byte[]>(data);
            if (value is null)
                broken.Remove(part);
            else
                broken[part] = value;
            KeyMaterial.Read(new Secret { Data = broken }).Should().BeNull();
        }

        KeyMaterial.Read(new Secret { Data = new(data) { [part] = other[part] } }).Should().BeNull();
    }

    [Test]
    public void An_authority_of_another_kind_of_key_is_no_material()
    {
        using var key = System.Security.Cryptography.RSA.Create(2048);
        var request = new CertificateRequest("CN=site", key, System.Security.Cryptography.HashAlgorithmName.SHA256, System.Security.Cryptography.RSASignaturePadding.Pkcs1);
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        var data = rotation.Next(null, Start).ToData();
        data["ca.crt"] = System.Text.Encoding.ASCII.GetBytes(authority.ExportCertificatePem());
        data["ca.key"] = System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());

        KeyMaterial.Read(new Secret { Data = data }).Should().BeNull();
    }

    private static bool Verifies(KeyMaterial material, X509Certificate2 certificate, DateTimeOffset at)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = at.LocalDateTime;
        var bundle = new X509Certificate2Collection();
        bundle.ImportFromPem(material.Bundle);
        chain.ChainPolicy.CustomTrustStore.AddRange(bundle);
        return chain.Build(certificate);
    }
}
