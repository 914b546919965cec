using System.Text.Json;
using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>admission.k8s.io: what the API server asks a webhook, and what that answers; v1 and v1beta1 are alike in what we use.</summary>
public sealed class AdmissionReview
{
    /// <summary>admission.k8s.io/v1 or v1beta1; the answer has that of the question.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>AdmissionReview.</summary>
    public string? Kind { get; set; }

    /// <summary>The question.</summary>
    public AdmissionRequest? Request { get; set; }

    /// <summary>The answer.</summary>
    public AdmissionResponse? Response { get; set; }
}

/// <summary>An operation on an object that somebody wants to do.</summary>
public sealed class AdmissionRequest
{
    /// <summary>Of the question; the answer repeats it.</summary>
    public string? Uid { get; set; }

    /// <summary>The object's kind.</summary>
    public GroupVersionKind? Kind { get; set; }

    /// <summary><c>status</c>, <c>scale</c>; empty for the object itself.</summary>
    public string? SubResource { get; set; }

    /// <summary>metadata.name; empty while the server has not made one.</summary>
    public string? Name { get; set; }

    /// <summary>Empty for cluster-scoped kinds.</summary>
    public string? Namespace { get; set; }

    /// <summary>CREATE, UPDATE, DELETE or CONNECT.</summary>
    public string? Operation { get; set; }

    /// <summary>The object as it would be; absent on a DELETE.</summary>
    public JsonElement? Object { get; set; }

    /// <summary>The object as it is; absent on a CREATE.</summary>
    public JsonElement? OldObject { get; set; }

    /// <summary>Whether nothing will be stored, and so nothing may be changed.</summary>
    public bool? DryRun { get; set; }
}

/// <summary>Kubernetes' metav1.GroupVersionKind.</summary>
public sealed class GroupVersionKind
{
    /// <summary>The group.</summary>
    public string? Group { get; set; }

    /// <summary>The version.</summary>
    public string? Version { get; set; }

    /// <summary>The kind.</summary>
    public string? Kind { get; set; }
}

/// <summary>Whether it may be done.</summary>
public sealed class AdmissionResponse
{
    /// <summary>Of the question.</summary>
    public string? Uid { get; set; }

    /// <summary>Whether it may.</summary>
    public bool Allowed { get; set; }

    /// <summary>Why not; reaches the user as the API server's own answer.</summary>
    public Status? Status { get; set; }

    /// <summary>JSON Patch (RFC 6902) as UTF-8, written as base64.</summary>
    public byte[]? Patch { get; set; }

    /// <summary>JSONPatch where there is a patch.</summary>
    public string? PatchType { get; set; }

    /// <summary>For the user, a line each; kubectl shows them.</summary>
    public List<string>? Warnings { get; set; }
}

/// <summary>JSON of admission reviews.</summary>
[JsonSourceGenerationOptions(
    MaxDepth = 64,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AdmissionReview))]
[JsonSerializable(typeof(Network))]
[JsonSerializable(typeof(TenantConfig))]
public sealed partial class AdmissionJson : JsonSerializerContext;
