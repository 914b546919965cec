namespace Danm.Cni;

/// <summary>What the runtime asks for: the values of <c>CNI_COMMAND</c>.</summary>
public enum CniCommand
{
    /// <summary>Attach the container.</summary>
    Add,

    /// <summary>Undo an ADD.</summary>
    Del,

    /// <summary>See whether what an ADD made is still there; since 0.4.0.</summary>
    Check,

    /// <summary>Release what belongs to no living attachment; since 1.1.0.</summary>
    Gc,

    /// <summary>Say whether an ADD could be served; since 1.1.0.</summary>
    Status,

    /// <summary>List the supported versions of the specification; since 0.2.0.</summary>
    Version,
}
