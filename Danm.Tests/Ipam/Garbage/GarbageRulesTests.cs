using Danm.Api;
using Danm.Ipam.Garbage;
using Danm.Netlink;
using Danm.State;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>Each condition of garbage, beside the nearest case that meets it.</summary>
public sealed class GarbageRulesTests
{
    private const string Boot = "boot-2", OtherBoot = "boot-1", Netns = "/run/netns/dead";

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TimeSpan Old = GarbageRules.Grace + TimeSpan.FromSeconds(1);

    private static readonly ObservedSandbox Living = Journaled("living", new SandboxRecord { Phase = SandboxPhase.Attached, BootId = Boot, ContainerId = "living", Netns = "/run/netns/living" }) with
    {
        PodUid = "uid-living", Netns = NamespaceSight.Present,
    };

    private static readonly ObservedSandbox Dead = Journaled("dead", new SandboxRecord { Phase = SandboxPhase.Attached, BootId = Boot, ContainerId = "dead", Netns = Netns }) with
    {
        Netns = NamespaceSight.Gone, Pod = PodSight.Gone,
    };

    private static readonly ObservedSandbox Unknown = Dead with
    {
        Journal = null, Endpoints = [new DanmEp { Metadata = new() { Name = "ep" }, Spec = new() { Netns = Netns } }],
    };

    [Test]
    public void The_last_sandbox_of_a_node_goes_where_its_like_were_seen_before() =>
        GarbageRules.Decide(new NodeView(Boot, Now, [Dead], HasSeenNamespaces: true))[0].Outcome.Should().Be(Outcome.Free);

    private static IEnumerable<TestCaseData> Cases()
    {
        TestCaseData Case(string name, ObservedSandbox sandbox, Outcome outcome, params ObservedSandbox[] others) => new TestCaseData(sandbox, others, outcome).SetName($"{{m}}: {name}");
        ObservedSandbox With(ObservedSandbox s, Func<SandboxRecord, SandboxRecord> change) => s with { Journal = s.Journal! with { Last = change(s.Record!) } };
        var otherBoot = With(Dead, r => r with { BootId = OtherBoot });
        var newer = Living with { PodUid = Dead.PodUid };

        yield return Case("all that must hold holds", Dead, Outcome.Free, Living);
        yield return Case("an ADD that was killed", With(Dead, r => r with { Phase = SandboxPhase.Adding }), Outcome.Free, Living);

        yield return Case("the namespace is there", Dead with { Netns = NamespaceSight.Present }, Outcome.Keep, Living);
        yield return Case("the namespace cannot be looked at", Dead with { Netns = NamespaceSight.Unknown }, Outcome.Suspect, Living);
        yield return Case("no namespace was written down", With(Dead, r => r with { Netns = null }) with { Netns = NamespaceSight.Unknown }, Outcome.Suspect, Living);
        yield return Case("another boot, and something new at the path", otherBoot with { Netns = NamespaceSight.Present }, Outcome.Free);
        yield return Case("another boot, and the path cannot be looked at", otherBoot with { Netns = NamespaceSight.Unknown }, Outcome.Free);
        yield return Case("the record has no boot", With(Dead, r => r with { BootId = null }) with { Netns = NamespaceSight.Present }, Outcome.Keep, Living);

        yield return Case("the Pod exists", Dead with { Pod = PodSight.Exists }, Outcome.Keep, Living);
        yield return Case("the Pod exists after a reboot", otherBoot with { Pod = PodSight.Exists }, Outcome.Keep, Living);
        yield return Case("nobody tells of the Pod", Dead with { Pod = PodSight.Unknown }, Outcome.Wait, Living);
        yield return Case("the Pod has a newer sandbox", Dead with { Pod = PodSight.Exists }, Outcome.Free, newer);
        yield return Case("the Pod's other sandbox is dead too", Dead with { Pod = PodSight.Exists }, Outcome.Keep, Living, newer with { Netns = NamespaceSight.Gone });
        yield return Case("the Pod's other sandbox is on its way out", Dead with { Pod = PodSight.Exists }, Outcome.Keep, Living, With(newer, r => r with { Phase = SandboxPhase.Deferred }));
        yield return Case("the Pod's other sandbox is of an earlier boot", Dead with { Pod = PodSight.Exists }, Outcome.Keep, Living, With(newer, r => r with { BootId = OtherBoot }));
        yield return Case("it is of no Pod", Dead with { Pod = PodSight.None }, Outcome.Free, Living);

        yield return Case("as old as the grace", Dead with { LastSign = Now - GarbageRules.Grace }, Outcome.Wait, Living);
        yield return Case("its last sign is in the future", Dead with { LastSign = Now + Old }, Outcome.Wait, Living);
        yield return Case("young, after a reboot", otherBoot with { LastSign = Now }, Outcome.Wait, Living);

        yield return Case("nothing is seen alive", Dead, Outcome.WrongMount);
        yield return Case("what is seen alive is of an earlier boot", Dead, Outcome.WrongMount, With(Living, r => r with { BootId = OtherBoot }));
        yield return Case("what is seen alive only a DanmEp tells", Dead, Outcome.WrongMount, Unknown with { ContainerId = "x", Netns = NamespaceSight.Present });
        yield return Case("nothing is seen alive after a reboot", otherBoot, Outcome.Free);

        yield return Case("its release was begun", With(Dead, r => r with { Phase = SandboxPhase.Deferred }) with { Pod = PodSight.Exists, LastSign = Now }, Outcome.Free);

        yield return Case("the journal is lost, DanmEps tell", Unknown, Outcome.Free, Living);
        yield return Case("the journal is lost, nothing is seen alive", Unknown, Outcome.WrongMount);
        yield return Case("the journal is lost, the namespace is there", Unknown with { Netns = NamespaceSight.Present }, Outcome.Keep, Living);
        yield return Case("the journal is lost, the Pod exists", Unknown with { Pod = PodSight.Exists }, Outcome.Keep, Living);
        yield return Case("the journal is lost, nothing tells where it was", Unknown with { Endpoints = [] }, Outcome.Suspect, Living);
        yield return Case("the journal is lost, of no Pod", Unknown with { Pod = PodSight.None }, Outcome.Suspect, Living);
        yield return Case("the journal is lost, imported", Unknown with { Endpoints = [new DanmEp { Metadata = new() { Annotations = new() { ["danm.io/imported"] = "" } }, Spec = new() { Netns = Netns } }] }, Outcome.Suspect, Living);
        yield return Case("the journal is damaged, DanmEps tell", Unknown with { Journal = Damaged }, Outcome.Free, Living);
        yield return Case("the journal is damaged, nothing tells", Unknown with { Journal = Damaged, Endpoints = [], Pod = PodSight.None, Netns = NamespaceSight.Unknown }, Outcome.Suspect, Living);
        yield return Case("the journal is empty", Dead with { Journal = Damaged with { IsDamaged = false }, Netns = NamespaceSight.Unknown, Pod = PodSight.None }, Outcome.Free);
        yield return Case("the journal is empty, and young", Dead with { Journal = Damaged with { IsDamaged = false }, Netns = NamespaceSight.Unknown, Pod = PodSight.None, LastSign = Now }, Outcome.Wait);
    }

    private static JournalSight Damaged => new("uid-dead", "dead", Now - Old, null, IsDamaged: true);

    [TestCaseSource(nameof(Cases))]
    public void Decides(ObservedSandbox sandbox, ObservedSandbox[] others, Outcome outcome)
    {
        var verdict = GarbageRules.Decide(new NodeView(Boot, Now, [.. others, sandbox]))[^1];

        verdict.Sandbox.Should().BeSameAs(sandbox);
        verdict.Outcome.Should().Be(outcome, "{0}", verdict.Reason);
        verdict.Reason.Should().NotBeNullOrWhiteSpace();
    }

    [Test]
    public void Where_the_kernel_tells_no_boot_none_proves_anything() =>
        GarbageRules.Decide(new NodeView("", Now, [Dead with { Netns = NamespaceSight.Present, Journal = Dead.Journal! with { Last = Dead.Record! with { BootId = OtherBoot } } }]))[0]
            .Outcome.Should().Be(Outcome.Keep);

    [Test]
    public void The_API_is_asked_about_Pods_of_what_looks_dead_only()
    {
        bool Asked(ObservedSandbox s) => GarbageRules.NeedsPod(s, Boot);

        Asked(Living).Should().BeFalse();
        Asked(Dead).Should().BeTrue();
        Asked(Living with { Journal = Living.Journal! with { Last = Living.Record! with { BootId = OtherBoot } } }).Should().BeTrue();
        Asked(Dead with { Journal = Dead.Journal! with { Last = Dead.Record! with { Phase = SandboxPhase.Deferred } } }).Should().BeFalse();
        Asked(Unknown).Should().BeTrue();
        Asked(Unknown with { Netns = NamespaceSight.Present }).Should().BeFalse();
    }

    private static ObservedSandbox Journaled(string container, SandboxRecord record) => new()
    {
        PodUid = $"uid-{container}",
        ContainerId = container,
        Journal = new JournalSight($"uid-{container}", container, Now - Old, record, IsDamaged: false),
        LastSign = Now - Old,
    };
}
