using Danm.Api;
using Danm.Ipam.Garbage;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>When a node is gone, and the nearest cases when it is not.</summary>
public sealed class GoneNodeRulesTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    private const string OutOfService = "node.kubernetes.io/out-of-service";

    [TestCase(600.1, NodeFate.Gone)]
    [TestCase(600, NodeFate.Absent)]
    [TestCase(0, NodeFate.Absent)]
    public void An_absent_one_by_how_long(double seconds, NodeFate fate) =>
        GoneNodeRules.Decide("node-1", null, TimeSpan.FromSeconds(seconds), Grace).Should().Be(fate);

    [TestCase(null)]
    [TestCase("")]
    public void One_whose_name_nobody_knows_never_is(string? name) =>
        GoneNodeRules.Decide(name, null, TimeSpan.FromDays(365), Grace).Should().Be(NodeFate.Alive);

    [TestCase(OutOfService, "False", NodeFate.Gone)]
    [TestCase(OutOfService, "Unknown", NodeFate.Gone)]
    [TestCase(OutOfService, null, NodeFate.Gone)]
    [TestCase(OutOfService, "True", NodeFate.TaintedButReady)]
    [TestCase("node.kubernetes.io/unreachable", "Unknown", NodeFate.Alive)]
    [TestCase(null, "False", NodeFate.Alive)]
    [TestCase(null, "True", NodeFate.Alive)]
    public void One_that_is_there_by_taint_and_readiness(string? taint, string? ready, NodeFate fate)
    {
        var node = new Node
        {
            Spec = { Taints = taint is null ? null : [new NodeTaint { Key = taint }] },
            Status = { Conditions = ready is null ? null : [new NodeCondition { Type = "MemoryPressure", Status = "True" }, new NodeCondition { Type = "Ready", Status = ready }] },
        };

        GoneNodeRules.Decide("node-1", node, TimeSpan.FromDays(365), Grace).Should().Be(fate);
    }
}
