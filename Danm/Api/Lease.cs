using System.Globalization;

namespace Danm.Api;

/// <summary>A coordination.k8s.io/v1 Lease: who of several leads, for how long.</summary>
public sealed class Lease
{
    /// <summary>Its group and version.</summary>
    public const string GroupVersion = "coordination.k8s.io/v1";

    /// <summary>Its plural.</summary>
    public const string Plural = "leases";

    /// <summary>coordination.k8s.io/v1.</summary>
    public string? ApiVersion { get; set; } = GroupVersion;

    /// <summary>Lease.</summary>
    public string? Kind { get; set; } = "Lease";

    /// <summary>Name, namespace and resourceVersion.</summary>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>Who holds it.</summary>
    public LeaseSpec Spec { get; set => field = value ?? new(); } = new();
}

/// <summary><c>spec</c> of a <see cref="Lease"/>; two are equal when nobody has written in between.</summary>
public sealed record LeaseSpec
{
    /// <summary>Who holds it; null or empty: nobody.</summary>
    public string? HolderIdentity { get; set; }

    /// <summary>How long the others wait, since they saw its last change, until it counts as left.</summary>
    public int? LeaseDurationSeconds { get; set; }

    /// <summary>When the holder got it, by the holder's clock, as <see cref="ToMicroTime"/> writes it.</summary>
    public string? AcquireTime { get; set; }

    /// <summary>When the holder last renewed it, likewise.</summary>
    public string? RenewTime { get; set; }

    /// <summary>How often it has changed hands.</summary>
    public int? LeaseTransitions { get; set; }

    /// <summary>Kubernetes' metav1.MicroTime: RFC 3339 in UTC with six digits of a second, no more and no fewer.</summary>
    public static string ToMicroTime(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
