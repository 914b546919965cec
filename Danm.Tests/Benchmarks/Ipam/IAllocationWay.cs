using Danm.Tests.ApiServer.Clusters;

namespace Danm.Tests.Benchmarks.Ipam;

/// <summary>One way of giving out the addresses of one network to many callers who know nothing of each other.</summary>
internal interface IAllocationWay : IDisposable
{
    /// <summary>As the table shows it.</summary>
    string Name { get; }

    /// <summary>Makes the objects that it needs, and a connection for each caller.</summary>
    Task PrepareAsync(ITestCluster cluster, int callers);

    /// <summary>One allocation, for a Pod of this number.</summary>
    Task<Allocation> AllocateAsync(int caller, int pod, CancellationToken cancellation);
}

/// <summary>What an allocation led to.</summary>
/// <param name="Address">Its place, or any other text that no second allocation may get.</param>
/// <param name="Conflicts">How often a write was refused because of somebody else's.</param>
internal readonly record struct Allocation(string Address, int Conflicts);
