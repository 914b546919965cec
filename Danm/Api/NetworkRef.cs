namespace Danm.Api;

/// <summary>Which network: what a Pod's annotation asks for and an IPAllocation records.</summary>
/// <param name="Kind">The kind of the network.</param>
/// <param name="Namespace">The network's namespace; null for a ClusterNetwork.</param>
/// <param name="Name">metadata.name, not NetworkID.</param>
public sealed record NetworkRef(NetworkKind Kind, string? Namespace, string Name)
{
    /// <summary>The value of <see cref="ApiNames.NetworkLabel"/>. A namespace has no dot, so no two networks share one.</summary>
    public string ToLabelValue() =>
        LabelValue.For(Namespace is null ? $"{Kind.ToName()}.{Name}" : $"{Kind.ToName()}.{Namespace}.{Name}");

    /// <summary>As errors and tables show it: <c>ClusterNetwork/x</c>, <c>DanmNet/ns/x</c>.</summary>
    public override string ToString() =>
        Namespace is null ? $"{Kind.ToName()}/{Name}" : $"{Kind.ToName()}/{Namespace}/{Name}";
}
