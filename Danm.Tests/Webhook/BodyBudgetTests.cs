using Danm.Webhook;

namespace Danm.Tests.Webhook;

[TestFixture, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BodyBudgetTests
{
    private const long Large = 1 << 20;

    private readonly BodyBudget budget = new(4 * Large);

    [Test]
    public async Task Large_bodies_wait_for_room_in_the_order_they_came_and_small_ones_never()
    {
        var first = Enumerable.Range(0, 4).Select(_ => budget.TakeAsync(Large, default)).ToList();
        first.Should().OnlyContain(t => t.IsCompletedSuccessfully);
        var order = new List<int>();
        var waiting = Enumerable.Range(0, 3).Select(i => WaitAsync(i)).ToList();

        budget.TakeAsync(BodyBudget.Small, default).IsCompletedSuccessfully.Should().BeTrue();
        waiting.Should().OnlyContain(t => !t.IsCompleted);
        for (var i = 0; i < 3; i++)
        {
            budget.Release(Large);
            await waiting[i].WaitAsync(TimeSpan.FromSeconds(10));
        }

        order.Should().Equal(0, 1, 2);

        async Task WaitAsync(int i)
        {
            await budget.TakeAsync(Large, default);
            order.Add(i);
        }
    }

    [Test]
    public async Task Whoever_gives_up_holds_nobody_up()
    {
        budget.TakeAsync(3 * Large, default).IsCompletedSuccessfully.Should().BeTrue();
        using var impatient = new CancellationTokenSource();
        var large = budget.TakeAsync(2 * Large, impatient.Token);
        var next = budget.TakeAsync(Large, default);
        next.IsCompleted.Should().BeFalse("the one before it waits");

        await impatient.CancelAsync();

        await large.Awaiting(t => t).Should().ThrowAsync<OperationCanceledException>();
        await next.WaitAsync(TimeSpan.FromSeconds(10));
        budget.TakeAsync(BodyBudget.Small + 1, default).IsCompleted.Should().BeFalse("all is taken");
    }
}
