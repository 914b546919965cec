using Danm.Api;
using Danm.Ipam.Garbage;
using Danm.Netlink;
using Danm.State;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>What a living sandbox uses and misses, and what is in its name and it does not use.</summary>
public sealed class LiveAllocationTests
{
    private const string Used = "10-0-0-5.untagged.ens4", Other = "10-0-0-6.untagged.ens4";

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly SandboxRecord Record = new()
    {
        Phase = SandboxPhase.Attached,
        BootId = "b",
        ContainerId = "c",
        Attachments = [new AttachmentRecord { Interface = "eth0", EndpointId = "ep", Network = "DanmNet/ns/n", Addresses = ["10.0.0.5/24"] }],
        Claims = [new ClaimRecord { Kind = "IPAllocation", Name = Used, EndpointId = "ep", Uid = "u" }, new ClaimRecord { Kind = "DanmEp", Name = "ep", EndpointId = "ep" }],
    };

    private static IEnumerable<TestCaseData> Cases()
    {
        TestCaseData Case(string name, int lost, int strays, Func<ObservedSandbox, ObservedSandbox>? change = null, string[]? listed = null) =>
            new TestCaseData(change ?? (s => s), listed ?? [], lost, strays).SetName($"{{m}}: {name}");
        Func<ObservedSandbox, ObservedSandbox> With(Func<SandboxRecord, SandboxRecord> change) => s => s with { Journal = s.Journal! with { Last = change(Record) } };

        yield return Case("lives", 1, 1);
        yield return Case("the address is listed", 0, 1, listed: [Used]);
        yield return Case("only another one is listed", 1, 1, listed: [Other]);
        yield return Case("not seen", 0, 0, s => s with { Netns = NamespaceSight.Gone });
        yield return Case("nobody can look", 0, 0, s => s with { Netns = NamespaceSight.Unknown });
        yield return Case("ADD is at work", 0, 0, With(r => r with { Phase = SandboxPhase.Adding }));
        yield return Case("on its way out", 0, 0, With(r => r with { Phase = SandboxPhase.Deferred }));
        yield return Case("of an earlier boot", 0, 0, With(r => r with { BootId = "a" }));
        yield return Case("the interface has another address than the claim", 0, 1, With(r => r with { Attachments = [r.Attachments[0] with { Addresses = ["10.0.0.7/24"] }] }));
        yield return Case("the address is another interface's", 0, 0, With(r => r with { Attachments = [r.Attachments[0] with { EndpointId = "ep2" }] }));
        yield return Case("young", 1, 0, s => s with { LastSign = Now - GarbageRules.Grace });
        yield return Case("both are used", 1, 0, With(r => r with { Attachments = [r.Attachments[0] with { Addresses = ["10.0.0.5/24", "10.0.0.6/24"] }] }));
        yield return Case("both are claimed", 1, 0, With(r => r with { Claims = [.. r.Claims, new ClaimRecord { Kind = "IPAllocation", Name = Other, EndpointId = "ep" }] }));
        yield return Case("nothing tells which addresses are used", 0, 0, With(r => r with { Attachments = [r.Attachments[0] with { Addresses = [] }] }));
        yield return Case("imported", 1, 0, s => s with { Allocations = [Allocation(Other, imported: true)] });
    }

    [TestCaseSource(nameof(Cases))]
    public void Finds(Func<ObservedSandbox, ObservedSandbox> change, string[] listed, int lost, int strays)
    {
        var sandbox = change(new ObservedSandbox
        {
            PodUid = "u",
            ContainerId = "c",
            Journal = new JournalSight("u", "c", Now, Record, IsDamaged: false),
            Netns = NamespaceSight.Present,
            Allocations = [Allocation(Other)],
            LastSign = Now - GarbageRules.Grace - TimeSpan.FromSeconds(1),
        });
        var view = new NodeView("b", Now, [sandbox]);

        LostAllocation.Of(view, listed.ToHashSet()).Select(l => l.Claim.Name).Should().Equal(Enumerable.Repeat(Used, lost));
        StrayAllocation.Of(sandbox, view).Select(a => a.Metadata.Name).Should().Equal(Enumerable.Repeat(Other, strays));
    }

    private static IPAllocation Allocation(string name, bool imported = false) => new()
    {
        Metadata = new ObjectMeta { Name = name, Labels = imported ? new() { ["danm.io/imported"] = "x" } : null },
        Spec = new IPAllocationSpec { Address = "10.0.0.6/24", Owner = new IPAllocationOwner { DanmEp = "ep" } },
    };
}
