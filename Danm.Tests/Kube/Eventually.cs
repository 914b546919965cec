namespace Danm.Tests.Kube;

/// <summary>Waits for what other tasks bring about.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task IsTrueAsync(Func<bool> condition, string because = "")
    {
        for (var deadline = DateTime.UtcNow + Patience; !condition(); await Task.Delay(5))
        {
            if (DateTime.UtcNow > deadline)
                throw new AssertionException($"not within {Patience.TotalSeconds} s {because}");
        }
    }
}
