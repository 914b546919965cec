using Danm.Tests.ApiServer;
using Danm.Tests.Deployment;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>That none is left out: accounts, roles, and what runs without any.</summary>
public sealed class AccountTests
{
    private static readonly string[] Proven = ["danm", "danm-controller", "danm-installer", "danm-svcwatcher", "danm-webhook", "netwatcher"];

    private static readonly ClusterMode[] Modes = [ClusterMode.Production, ClusterMode.Lightweight];

    [TestCaseSource(nameof(Modes))]
    public void Every_account_has_a_test_of_its_rights_and_every_role_an_account(object mode)
    {
        var roles = new RoleSet(((ClusterMode)mode).Objects());

        roles.Rights.Select(r => r.User.Split(':')[^1]).Distinct().Should().BeEquivalentTo(Proven);
        roles.Rights.Select(r => r with { Role = "" }).Should().OnlyHaveUniqueItems("no rule gives what another gives");
        roles.Unbound.Should().BeEmpty();
    }

    // There they are asked for, and shown to be needed.
    [TestCaseSource(nameof(Modes))]
    public void Rights_to_kinds_that_a_mode_lacks_are_the_other_modes(object mode)
    {
        var absent = ((ClusterMode)mode).Absent().ToHashSet();
        var rights = new RoleSet(((ClusterMode)mode).Objects()).Rights.Where(r => absent.Contains(r.Resource)).ToList();

        rights.Should().NotBeEmpty().And.BeSubsetOf(new RoleSet(Modes.Single(m => !m.Equals(mode)).Objects()).Rights);
    }

    [Test]
    public void What_uninstalls_asks_nobody()
    {
        var objects = Kustomization.Build(Path.Combine(DanmBinary.Repository, "manifests/uninstall"));

        var pod = objects.Should().ContainSingle().Which.At("spec", "template", "spec");
        pod.At("automountServiceAccountToken")!.GetValue<bool>().Should().BeFalse();
        pod.At("serviceAccountName").Should().BeNull();
    }
}
