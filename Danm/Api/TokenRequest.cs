namespace Danm.Api;

/// <summary>An authentication.k8s.io/v1 TokenRequest: asks for a token of a service account, and has it in the answer.</summary>
public sealed class TokenRequest
{
    /// <summary>authentication.k8s.io/v1.</summary>
    public string? ApiVersion { get; set; } = "authentication.k8s.io/v1";

    /// <summary>TokenRequest.</summary>
    public string? Kind { get; set; } = "TokenRequest";

    /// <summary>What is asked for.</summary>
    public TokenRequestSpec Spec { get; set => field = value ?? new(); } = new();

    /// <summary>The answer.</summary>
    public TokenRequestStatus? Status { get; set; }
}

/// <summary><c>spec</c> of a <see cref="TokenRequest"/>.</summary>
public sealed class TokenRequestSpec
{
    /// <summary>For whom the token is; null: the API server.</summary>
    public List<string>? Audiences { get; set; }

    /// <summary>How long it shall live; the server may give another time.</summary>
    public long? ExpirationSeconds { get; set; }

    /// <summary>With what it ends: a Pod, a Secret or a Node.</summary>
    public BoundObjectReference? BoundObjectRef { get; set; }
}

/// <summary>Kubernetes' BoundObjectReference.</summary>
public sealed class BoundObjectReference
{
    /// <summary>Pod, Secret or Node.</summary>
    public string? Kind { get; set; }

    /// <summary>v1.</summary>
    public string? ApiVersion { get; set; }

    /// <summary>Its name.</summary>
    public string? Name { get; set; }

    /// <summary>Which one of that name.</summary>
    public string? Uid { get; set; }
}

/// <summary><c>status</c> of a <see cref="TokenRequest"/>.</summary>
public sealed class TokenRequestStatus
{
    /// <summary>The token, a JSON Web Token.</summary>
    public string? Token { get; set; }

    /// <summary>RFC 3339.</summary>
    public string? ExpirationTimestamp { get; set; }
}
