namespace Danm.Api;

/// <summary>What an API server says of itself at <c>/version</c>.</summary>
public sealed class ServerVersion
{
    /// <summary>1.</summary>
    public string? Major { get; set; }

    /// <summary>32; some distributions write <c>32+</c>.</summary>
    public string? Minor { get; set; }

    /// <summary>v1.32.0 and what a distribution adds.</summary>
    public string? GitVersion { get; set; }
}
