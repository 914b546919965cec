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
            text.Append("/namespaces/").Append(Segment(ns));
        text.Append('/').Append(plural);
        if (name is not null)
            text.Append('/').Append(Segment(name));
        path = text.ToString();
    }

    private ResourcePath(ResourcePath parent, string subresource) => path = parent.path + subresource;

    /// <summary>Objects of core/v1: Pods, Events, Nodes.</summary>
    /// <exception cref="ArgumentException">A name is empty or leads elsewhere.</exception>
    public static ResourcePath Core(string plural, string? ns, string? name = null) => new("/api/v1", ns, plural, name);

    /// <summary>Objects of danm.io/v1.</summary>
    /// <exception cref="ArgumentException">A name is empty or leads elsewhere.</exception>
    public static ResourcePath Danm(string plural, string? ns, string? name = null) =>
        new($"/apis/{ApiNames.GroupVersion}", ns, plural, name);

    /// <summary>Objects of another group and version: <c>coordination.k8s.io/v1</c>.</summary>
    /// <exception cref="ArgumentException">A name is empty or leads elsewhere.</exception>
    public static ResourcePath Of(string groupVersion, string plural, string? ns, string? name = null) => new($"/apis/{groupVersion}", ns, plural, name);

    /// <summary>A network object.</summary>
    public static ResourcePath Of(NetworkRef network)
    {
        ArgumentNullException.ThrowIfNull(network);
        return Danm(network.Kind.ToPlural(), network.Namespace, network.Name);
    }

    /// <summary>The object's <c>status</c> subresource: whoever may write it can change labels and annotations, and nothing of the spec.</summary>
    public ResourcePath Status => new(this, "/status");

    /// <summary>The <c>token</c> subresource of a service account, to which TokenRequests are posted.</summary>
    public ResourcePath Token => new(this, "/token");

    /// <summary>The same for a write that the server checks and does not carry out.</summary>
    public ResourcePath DryRun => new(this, "?dryRun=All");

    // Dots need no escape, and none keeps them from being taken for a step upwards.
    private static string Segment(string name) => name is "" or "." or ".."
        ? throw new ArgumentException($"\"{name}\" is no name that an object can have", nameof(name))
        : Uri.EscapeDataString(name);

    /// <summary>The text after the server's address.</summary>
    public override string ToString() => path;
}
