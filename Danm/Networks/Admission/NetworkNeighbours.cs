using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>
/// What a network has in common with others that it should not: none of it is denied, since the others may be about to go, or the
/// author may know better.
/// </summary>
public static class NetworkNeighbours
{
    private const int MaxWarnings = 10;

    /// <summary>
    /// A line for each other network with which it shares a segment with overlapping subnets (equal subnets with disjoint pools are
    /// the supported way), the name of a host interface, or a VNI that a tenant has. At most ten, and how many more there are.
    /// </summary>
    /// <param name="network">What is wanted, after mutation.</param>
    /// <param name="others">What is stored, of all kinds; itself is skipped, one that is broken has nothing to compare.</param>
    /// <returns>One-line texts, safe for terminals. Networks of other namespaces are not named, nor is anything that they hold.</returns>
    public static List<string> Warnings(Network network, IEnumerable<Network> others)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(others);
        var findings = new Findings();
        var comparison = new NeighbourComparison(network, findings);
        foreach (var other in others)
        {
            if (!IsSame(network, other))
                comparison.With(other);
        }

        return findings.ToList();
    }

    private static bool IsSame(Network network, Network other) =>
        network.Kind == other.Kind && network.Metadata.Name == other.Metadata.Name
        && (!network.Kind.IsNamespaced() || network.Metadata.Namespace == other.Metadata.Namespace);

    /// <summary>The first few texts; further ones are counted without being made.</summary>
    internal sealed class Findings
    {
        private readonly List<string> texts = [];
        private int more;

        public bool IsFull => texts.Count == MaxWarnings;

        public void Add(string text) => texts.Add(text);

        public void Count() => more++;

        public List<string> ToList() => more == 0 ? texts : [.. texts, $"and {more} more"];
    }
}
