namespace Danm.Api;

/// <summary>Kubernetes' metav1.DeleteOptions: the body of a delete.</summary>
public sealed class DeleteOptions
{
    /// <summary>v1, as every group accepts it.</summary>
    public string? ApiVersion { get; set; } = "v1";

    /// <summary>DeleteOptions.</summary>
    public string? Kind { get; set; } = "DeleteOptions";

    /// <summary>What must hold, else the server answers 409.</summary>
    public Preconditions? Preconditions { get; set; }

    /// <summary>Orphan, Background or Foreground.</summary>
    public string? PropagationPolicy { get; set; }
}

/// <summary>Kubernetes' metav1.Preconditions.</summary>
public sealed class Preconditions
{
    /// <summary>Delete this very object, not a later one of the same name.</summary>
    public string? Uid { get; set; }

    /// <summary>Delete only what has not changed since.</summary>
    public string? ResourceVersion { get; set; }
}
