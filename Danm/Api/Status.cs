using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>Kubernetes' metav1.Status: what the server answers when it refuses, or to a delete.</summary>
public sealed class Status
{
    /// <summary>Success or Failure.</summary>
    [JsonPropertyName("status")]
    public string? Outcome { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>For programs: AlreadyExists, NotFound, Conflict, Invalid, Expired, …</summary>
    public string? Reason { get; set; }

    /// <summary>The HTTP status.</summary>
    public int? Code { get; set; }

    /// <summary>What the reason is about.</summary>
    public StatusDetails? Details { get; set; }
}

/// <summary>Kubernetes' metav1.StatusDetails.</summary>
public sealed class StatusDetails
{
    /// <summary>The object's name.</summary>
    public string? Name { get; set; }

    /// <summary>The object's group.</summary>
    public string? Group { get; set; }

    /// <summary>The object's kind, in places its plural.</summary>
    public string? Kind { get; set; }

    /// <summary>The object's UID.</summary>
    public string? Uid { get; set; }

    /// <summary>The faults one by one.</summary>
    public List<StatusCause>? Causes { get; set; }

    /// <summary>When to come again, in seconds.</summary>
    public int? RetryAfterSeconds { get; set; }
}

/// <summary>Kubernetes' metav1.StatusCause.</summary>
public sealed class StatusCause
{
    /// <summary>For programs: FieldValueInvalid, FieldValueRequired, …</summary>
    public string? Reason { get; set; }

    /// <summary>For people.</summary>
    public string? Message { get; set; }

    /// <summary>The field's path.</summary>
    public string? Field { get; set; }
}
