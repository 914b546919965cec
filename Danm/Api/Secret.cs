namespace Danm.Api;

/// <summary>A core/v1 Secret.</summary>
public sealed class Secret : IApiObject
{
    /// <summary>v1.</summary>
    public string? ApiVersion { get; set; } = "v1";

    /// <summary>Secret.</summary>
    public string? Kind { get; set; } = "Secret";

    /// <inheritdoc/>
    public ObjectMeta Metadata { get; set => field = value ?? new(); } = new();

    /// <summary>What the server checks the data for: <c>kubernetes.io/tls</c> needs tls.crt and tls.key.</summary>
    public string? Type { get; set; }

    /// <summary>The data by name, base64 on the wire.</summary>
    public Dictionary<string, byte[]>? Data { get; set; }
}
