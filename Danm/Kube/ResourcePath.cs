using System.Text;
using Danm.Api;

namespace Danm.Kube;

/// <summary>
/// The path of a resource or of one object below the server's address (Kubernetes API conventions, "resource paths"), made of
/// escaped segments, so that no name leads elsewhere.
/// </summary>
public readonly record struct ResourcePath
{
    private readonly string path;

    private ResourcePath(string prefix, string? ns, string plural, string? name)
    {
        var text = new StringBuilder(prefix);
        if (ns is not null)
            text.Append("/namespaces/").Append(Uri.EscapeDataString(ns));
        text.Append('/').Append(plural);
        if (name is not null)
            text.Append('/').Append(Uri.EscapeDataString(name));
        path = text.ToString();
    }

    /// <summary>Objects of core/v1: Pods, Events, Nodes.</summary>
    public static ResourcePath Core(string plural, string? ns, string? name = null) => new("/api/v1", ns, plural, name);

    /// <summary>Objects of danm.io/v1.</summary>
    public static ResourcePath Danm(string plural, string? ns, string? name = null) =>
        new($"/apis/{ApiNames.GroupVersion}", ns, plural, name);

    /// <summary>A network object.</summary>
    public static ResourcePath Of(NetworkRef network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return Danm(network.Kind.ToPlural(), network.Namespace, network.Name);
    }

    /// <summary>The text after the server's address.</summary>
    public override string ToString() => path;
}
