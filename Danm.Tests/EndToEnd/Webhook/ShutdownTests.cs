namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>Replicas come and go while requests come in.</summary>
[Parallelizable]
public sealed class ShutdownTests : ReplicasFixture
{
    private const int Workers = 16;

    [Test]
    public async Task A_rolling_update_under_load_fails_no_request()
    {
        using var stop = new CancellationTokenSource();
        var working = Enumerable.Range(0, Workers).Select(w => WorkAsync(w, stop.Token)).ToArray();
        var exits = new List<int>();
        foreach (var old in Running.ToArray())
        {
            await AddReplicaAsync();
            exits.Add(await old.StopAsync());
        }

        await stop.CancelAsync();
        var answers = (await Task.WhenAll(working)).SelectMany(a => a).ToArray();

        answers.Where(a => a.Code is not (200 or 201)).Select(a => a.Message).Distinct().Should().BeEmpty();
        answers.Should().HaveCountGreaterThan(500);
        exits.Should().Equal(0, 0, 0);
        TestContext.Out.WriteLine($"{answers.Length} requests, none failed");
    }

    /// <summary>Makes and deletes a network until it is cancelled; rests now and then, so that connections rest too.</summary>
    private async Task<List<Answer>> WorkAsync(int worker, CancellationToken cancellation)
    {
        var answers = new List<Answer>();
        var network = Objects.Network("DanmNet", $"net-{worker}", """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", Tenant);
        for (var i = 1; !cancellation.IsCancellationRequested; i++)
        {
            answers.Add(await CreateAsync(network));
            answers.Add(await DeleteAsync(network));
            await Task.Delay(i % 10 == 0 ? 50 * worker : worker, CancellationToken.None);
        }

        return answers;
    }
}
