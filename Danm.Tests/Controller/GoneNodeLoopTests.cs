using Danm.Controller;
using Danm.Ipam.Garbage;

namespace Danm.Tests.Controller;

/// <summary>When the next pass over the addresses of gone nodes is due.</summary>
public sealed class GoneNodeLoopTests
{
    // Without reason to hurry it is between three quarters of half an hour and five.
    [TestCase(0, null, 0, 1350, 2250, TestName = "Nothing to do")]
    [TestCase(0, 100, 0, 101, 101, TestName = "A moment after a grace ends")]
    [TestCase(1, null, 0, 60, 60, TestName = "A minute after a failure")]
    [TestCase(1, 20, 0, 21, 21, TestName = "A grace ends before that")]
    [TestCase(0, 20, 300, 300, 300, TestName = "A grace ends within the rest after a long pass")]
    [TestCase(1, null, 300, 300, 300, TestName = "A failure within the rest after a long pass")]
    [TestCase(1, 100, 300, 300, 300, TestName = "Both within the rest")]
    [TestCase(0, null, 3000, 3000, 3000, TestName = "The rest is longer than all")]
    public void A_pass_takes_a_tenth_of_the_time_at_most(int failures, int? due, int rest, int atLeast, int atMost)
    {
        var result = new GoneNodeResult(0, 0, [.. Enumerable.Repeat("no", failures)], new Dictionary<string, NodeFate>()) { NextDue = due is { } d ? TimeSpan.FromSeconds(d) : null };

        GoneNodeLoop.Next(result, TimeSpan.FromSeconds(rest)).TotalSeconds.Should().BeInRange(atLeast, atMost);
    }
}
