namespace Danm.Doctor;

/// <summary>One question about a node or a cluster. It changes nothing.</summary>
internal interface ICheck
{
    /// <summary>Its name, which scripts and docs/doctor.md know it by: <c>node-</c> or <c>cluster-</c>, and what it looks at.</summary>
    string Id { get; }

    /// <summary>Looks. What it throws counts as a finding, too.</summary>
    IAsyncEnumerable<Finding> RunAsync(CancellationToken cancellation);
}
