using System.Text.Json;
using Danm.Api;

namespace Danm.Tests.Networks.Admission;

/// <summary>One rule: a network that breaks it and nothing else, and the nearest one that keeps it.</summary>
/// <param name="Rule">Its number in docs/network-rules.md; empty for the checks of spellings, which have none.</param>
/// <param name="Field">The path that the denial names.</param>
/// <param name="Rejected">A <c>spec</c>.</param>
/// <param name="Accepted">A <c>spec</c>.</param>
/// <param name="Old">The <c>spec</c> that is stored, for an update; null for a creation.</param>
/// <param name="Kinds">The first letters of the kinds that the rule is for.</param>
public sealed record RuleCase(string Rule, string Field, string Rejected, string Accepted, string? Old = null, string Kinds = "DCT")
{
    /// <summary>For each kind that the rule is for.</summary>
    public IEnumerable<NetworkKind> NetworkKinds => Enum.GetValues<NetworkKind>().Where(kind => Kinds.Contains(kind.ToName()[0]));

    /// <summary>The network with such a spec.</summary>
    public static Network Make(NetworkKind kind, string spec, string name = "n") => new()
    {
        Kind = kind,
        Metadata = new ObjectMeta { Name = name, Namespace = kind.IsNamespaced() ? "ns" : null },
        Spec = JsonSerializer.Deserialize(spec, ApiJson.Default.NetworkSpec)!,
    };

    public override string ToString() => $"rule {Rule}, {Field}: {Rejected}{(Old is null ? "" : $" from {Old}")}";
}
