using Danm.Tests.Kube;
using Danm.Webhook.Certificates;

namespace Danm.Tests.Webhook;

public sealed class CertificateFilesTests
{
    private readonly CertificateRotation issuer = new(["svc.ns.svc"], TimeSpan.FromDays(1));

    private string folder = null!;
    private ListLogger log = null!;
    private ServingCertificate serving = null!;
    private CertificateFiles files = null!;

    private string Certificate => Path.Combine(folder, "cert.pem");

    private string Key => Path.Combine(folder, "key.pem");

    [SetUp]
    public void Make()
    {
        folder = Directory.CreateTempSubdirectory("danm-certificates").FullName;
        log = new ListLogger();
        serving = new ServingCertificate(log, TimeProvider.System);
        files = new CertificateFiles(Certificate, Key, serving, log);
    }

    [TearDown]
    public void Remove() => Directory.Delete(folder, recursive: true);

    [Test]
    public void What_the_files_hold_is_served_and_changes_with_them()
    {
        files.Look().Should().Contain("cert.pem");
        serving.Problem.Should().Be("there is no certificate yet");
        var first = Write();
        files.Look().Should().BeNull();
        serving.Current!.TargetCertificate.Thumbprint.Should().Be(first);
        serving.Problem.Should().BeNull();
        files.Look().Should().BeNull();
        log.Lines.Should().HaveCount(1, "what has not changed is no news");

        var second = Write();
        files.Look().Should().BeNull();
        serving.Current!.TargetCertificate.Thumbprint.Should().Be(second).And.NotBe(first);
    }

    [Test]
    public void Half_of_a_rotation_and_rubbish_leave_the_former_one()
    {
        var first = Write();
        files.Look();
        var next = issuer.Next(null, DateTimeOffset.UtcNow).ToData();

        foreach (var (certificate, key) in ((byte[]?, byte[]?)[])[(next["tls.crt"], null), (null, next["tls.key"]), ([], []), ([0xff, 0], [1])])
        {
            Write();
            var thumbprint = serving.Current!.TargetCertificate.Thumbprint;
            if (certificate is not null)
                File.WriteAllBytes(Certificate, certificate);
            if (key is not null)
                File.WriteAllBytes(Key, key);
            files.Look().Should().Contain("cannot be used");
            serving.Current!.TargetCertificate.Thumbprint.Should().Be(thumbprint).And.Be(first);
        }
    }

    [Test]
    public void An_expired_one_is_a_problem_that_the_probes_tell()
    {
        var old = new CertificateRotation(["x"], TimeSpan.FromHours(1)).Next(null, DateTimeOffset.UtcNow.AddHours(-3)).ToData();
        File.WriteAllBytes(Certificate, old["tls.crt"]);
        File.WriteAllBytes(Key, old["tls.key"]);

        files.Look().Should().BeNull();

        serving.Problem.Should().StartWith("the certificate has expired");
    }

    private string Write()
    {
        var material = issuer.Next(null, DateTimeOffset.UtcNow);
        File.WriteAllBytes(Certificate, material.ToData()["tls.crt"]);
        File.WriteAllBytes(Key, material.ToData()["tls.key"]);
        return material.Certificate.Thumbprint;
    }
}
