namespace Danm.Tests.Ipam.Garbage;

/// <summary>What can happen to a cluster.</summary>
public enum Happening
{
    /// <summary>A Pod starts, or what is left of it after a reboot starts again.</summary>
    Add,

    /// <summary>The same, with an exact address.</summary>
    AddStatic,

    /// <summary>A Pod starts, and its ADD is killed at a random moment; the Pod is deleted, and no DEL ever comes.</summary>
    KilledAdd,

    /// <summary>A Pod ends.</summary>
    Del,

    /// <summary>A Pod ends, and its DEL is killed at a random moment and never comes again.</summary>
    KilledDel,

    /// <summary>A Pod ends with its sandbox, and no DEL ever comes.</summary>
    Vanish,

    /// <summary>A node's garbage is collected, with the grace already over.</summary>
    Collect,

    /// <summary>The pool becomes larger, smaller or another part of the subnet.</summary>
    EditPool,

    /// <summary>Somebody deletes an IPAllocation.</summary>
    Mistake,

    /// <summary>A node boots.</summary>
    Reboot,

    /// <summary>A node is lost for good.</summary>
    LoseNode,

    /// <summary>The next write commits, and its answer is lost with the connection.</summary>
    LoseAnswer,

    /// <summary>The connection breaks before the next write.</summary>
    BreakConnection,

    /// <summary>The API server fails for a moment.</summary>
    ServerError,
}

/// <summary>One of them.</summary>
/// <param name="What">What happens.</param>
/// <param name="Which">To which Pod, node or address.</param>
/// <param name="Moment">At which moment, for what is cut off: microseconds.</param>
public readonly record struct HistoryStep(Happening What, int Which, int Moment)
{
    public override string ToString() => $"{What}({Which},{Moment})";
}
