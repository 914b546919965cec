using Danm.Api;

namespace Danm.Kube.Watching;

/// <summary>What tells an object from others of its kind.</summary>
/// <param name="Namespace">Null for cluster-scoped kinds.</param>
/// <param name="Name">metadata.name.</param>
public readonly record struct ObjectKey(string? Namespace, string Name)
{
    /// <summary>The key of an object.</summary>
    public static ObjectKey Of(IApiObject value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return new(value.Metadata.Namespace, value.Metadata.Name ?? "");
    }

    /// <summary><c>namespace/name</c>, as kubectl takes it.</summary>
    public override string ToString() => Namespace is null ? Name : $"{Namespace}/{Name}";
}
