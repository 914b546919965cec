namespace Danm.Tests.EndToEnd.Install;

/// <summary>A token that ends, renewed before it does.</summary>
[TestFixture, Parallelizable]
public sealed class TokenRenewalTests : InstallFixture
{
    private protected override TimeSpan? LongestTokenLife => TimeSpan.FromSeconds(24);

    [Test]
    public async Task The_token_is_renewed_at_half_its_life_and_at_no_moment_missing_or_bad()
    {
        Primary();
        await using var installer = Start();
        await Netwatcher.Eventually.HoldsAsync(() => installer.Log.Should().Contain("installed:"), seconds: 20);
        var seen = new List<string>();
        var until = DateTime.UtcNow.AddSeconds(40);
        while (DateTime.UtcNow < until)
        {
            Faults().Should().BeEmpty();
            if (Text(ConfDir, "danm.d", "token") is var token && !seen.Contains(token))
                seen.Add(token);
            await Task.Delay(10);
        }

        seen.Count.Should().BeInRange(3, 5);
    }
}
