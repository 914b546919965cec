using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Danm.Doctor;
using Danm.Doctor.Cluster;
using Danm.Doctor.Node;
using Danm.Kube;

namespace Danm.Tests.Doctor;

/// <summary>What checks make of what they see.</summary>
public class JudgementTests
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [TestCase("1", "31", false)]
    [TestCase("1", "32+", false)]
    [TestCase("2", "0", false)]
    [TestCase("1", "30", true)]
    [TestCase("1", "9-gke", true)]
    [TestCase(null, "odd", false, Description = "who does not say is not called old")]
    public void A_server_is_too_old(string? major, string? minor, bool expected) => ServerCheck.IsOld(major, minor).Should().Be(expected);

    [TestCase("node-1", 0, 24, CheckStatus.Ok)]
    [TestCase("node-1", -14, 10, CheckStatus.Ok, Description = "the installer is about to renew it")]
    [TestCase("node-1", -16, 8, CheckStatus.Warning, Description = "it did not")]
    [TestCase("node-1", -24, 0, CheckStatus.Failed)]
    [TestCase("node-2", 0, 24, CheckStatus.Failed)]
    [TestCase(null, 0, 24, CheckStatus.Warning)]
    public void A_token_is_this_nodes_and_renewed_in_time(string? node, int issued, int expires, object expected) =>
        TokenCheck.Judge(new TokenClaims(node, "uid", Now.AddHours(issued), Now.AddHours(expires)), "node-1", Now).Status.Should().Be((CheckStatus)expected);

    [Test]
    public void A_token_that_says_nothing_or_never_ends_is_a_warning()
    {
        TokenCheck.Judge(null, "node-1", Now).Status.Should().Be(CheckStatus.Warning);
        TokenCheck.Judge(new TokenClaims("node-1", null, null, null), "node-1", Now).Found.Should().Be("the token never expires");
    }

    [TestCase(3, CheckStatus.Ok, "agrees")]
    [TestCase(-9, CheckStatus.Ok, "agrees")]
    [TestCase(40, CheckStatus.Warning, "40 seconds behind")]
    [TestCase(-3600, CheckStatus.Warning, "3600 seconds before")]
    public void Clocks_agree_within_seconds(int seconds, object status, string text) =>
        ClockCheck.Judge(TimeSpan.FromSeconds(seconds)).Should().Match<Finding>(f => f.Status == (CheckStatus)status && f.Found.Contains(text));

    [TestCase("/var/lib/cni", false)]
    [TestCase("/data/x", true, Description = "by the mount's own options")]
    [TestCase("/database", false, Description = "beside it")]
    [TestCase("/errors/x", true, Description = "the kernel made the whole disk read-only")]
    [TestCase("/twice", false, Description = "the later mount is above")]
    public void A_folder_is_on_a_read_only_disk(string path, bool expected) => DiskCheck.IsReadOnly(
        [
            "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            "2 1 8:2 / /data ro,relatime shared:2 - ext4 /dev/sda2 rw",
            "3 1 8:3 / /errors rw - ext4 /dev/sda3 ro,errors=remount-ro",
            "4 1 8:4 / /twice ro - ext4 /dev/sda4 rw",
            "5 4 8:5 / /twice rw - ext4 /dev/sda5 rw",
            "nonsense",
        ],
        path).Should().Be(expected);

    [TestCase(100, 200, true, CheckStatus.Ok)]
    [TestCase(5, 200, true, CheckStatus.Warning, Description = "of a chain the first to end counts")]
    [TestCase(5, 200, false, CheckStatus.Ok, Description = "of authorities one will do")]
    [TestCase(-1, -5, false, CheckStatus.Failed)]
    public void Certificates_are_good_for_a_while(int first, int second, bool all, object expected)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = string.Join('\n', ((int[])[first, second]).Select(days =>
        {
            using var certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256).CreateSelfSigned(Now.AddDays(-400), Now.AddDays(days));
            return certificate.ExportCertificatePem();
        }));

        CertificateCheck.Judge("it", pem, all, Now).Status.Should().Be((CheckStatus)expected);
        CertificateCheck.Judge("it", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", all, Now).Status.Should().Be(CheckStatus.Failed);
    }

    [TestCase("""{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}""", true)]
    [TestCase("""{"apiGroups":["danm.io"],"resources":["danmeps"],"verbs":["get","list"]}""", true)]
    [TestCase("""{"apiGroups":["danm.io"],"resources":["danmeps"],"verbs":["get"],"resourceNames":["x"]}""", false, Description = "of one name only")]
    [TestCase("""{"apiGroups":[""],"resources":["danmeps"],"verbs":["get"]}""", false, Description = "of another group")]
    [TestCase("""{"apiGroups":["danm.io"],"resources":["danmeps/status"],"verbs":["get"]}""", false, Description = "of a part")]
    [TestCase("""{"apiGroups":"danm.io","resources":7}""", false, Description = "no rule")]
    public void A_rule_covers_a_right(string rule, bool expected)
    {
        using var json = JsonDocument.Parse(rule);
        AccessRight.Of([new Document(json.RootElement)]).Any(r => r.Covers(new AccessRight("danm.io", "danmeps", "get", ""))).Should().Be(expected);
    }

    [TestCase("DaemonSet", "kube-system", "danm-cleaner", "danm-cleaner", "cleaner", "Cleaner")]
    [TestCase("DaemonSet", "tools", "policer", "policer", "policer", "Policer")]
    [TestCase("DaemonSet", "kube-system", "svcwatcher", "svcwatcher", "svcwatcher", "two write for the same Services")]
    [TestCase("DaemonSet", "kube-system", "danm-cni", "danm", "danm-cni-plugins", "runs the original's image")]
    [TestCase("Deployment", "shop", "web", "default", "webhook", null, Description = "somebody's webhook")]
    [TestCase("Deployment", "shop", "cleaner", "default", "cleaner", null, Description = "somebody's cleaner")]
    [TestCase("DaemonSet", "kube-system", "kube-proxy", "kube-proxy", "kube-proxy", null)]
    public void Workloads_of_the_original_are_known(string kind, string ns, string name, string account, string program, string? expected)
    {
        var finding = OriginalCheck.Judge(new Workload(kind, ns, name, account, [program], []));

        if (expected is null)
            finding.Should().BeNull();
        else
            finding!.Found.Should().Contain(expected);
    }

    [Test]
    public void A_mirror_may_give_Danms_own_image_any_name() =>
        OriginalCheck.Judge(new Workload("DaemonSet", "kube-system", "netwatcher", "netwatcher", ["netwatcher"], ["netwatcher", "--v=2"])).Should().BeNull();

    [Test]
    public void The_manifests_of_the_build_are_in_it()
    {
        BuildManifests.Of("crds").Should().HaveCount(7);
        foreach (var component in Component.All)
            component.Workload["spec"]["template"]["spec"]["containers"].Items.Should().NotBeEmpty();
        BuildManifests.Of("policies").Should().NotBeEmpty();
        BuildManifests.Of("flowcontrol").Should().NotBeEmpty();
        BuildManifests.Of("examples").Should().BeEmpty("they are no part of an installation");
    }
}
