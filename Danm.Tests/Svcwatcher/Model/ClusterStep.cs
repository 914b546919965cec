namespace Danm.Tests.Svcwatcher.Model;

/// <summary>What can happen to a cluster with Services over any interface.</summary>
public enum ClusterHappening
{
    /// <summary>A Service is created, or changed to any of what it can be.</summary>
    Service,

    /// <summary>A Service is deleted.</summary>
    ServiceGoes,

    /// <summary>A Service is deleted and created again, in one moment.</summary>
    ServiceAnew,

    /// <summary>A Pod comes, or its labels change.</summary>
    Pod,

    /// <summary>Its condition Ready or its phase changes.</summary>
    PodStatus,

    /// <summary>It is told to end, and is still there.</summary>
    PodTerminates,

    /// <summary>It is gone; its DanmEps may stay.</summary>
    PodGoes,

    /// <summary>It is gone, and in the same moment another one has its name.</summary>
    PodAnew,

    /// <summary>A Pod gets an interface.</summary>
    Interface,

    /// <summary>An interface gets other addresses.</summary>
    InterfaceChanges,

    /// <summary>An interface goes.</summary>
    InterfaceGoes,

    /// <summary>So many Pods with an interface each that one slice does not hold them.</summary>
    Crowd,

    /// <summary>Most of them go.</summary>
    CrowdGoes,

    /// <summary>A node gets or loses its zone.</summary>
    Node,

    /// <summary>Somebody edits one of our slices.</summary>
    SliceEdited,

    /// <summary>Somebody deletes one.</summary>
    SliceDeleted,

    /// <summary>Somebody puts a slice of his own under the name of ours.</summary>
    SliceReplaced,

    /// <summary>Somebody edits our Endpoints of a Service.</summary>
    EndpointsEdited,

    /// <summary>Somebody deletes them.</summary>
    EndpointsDeleted,

    /// <summary>The next write is refused.</summary>
    Refused,

    /// <summary>The next write is refused as a conflict.</summary>
    Conflict,

    /// <summary>The next write commits, and its answer is lost with the connection.</summary>
    LostAnswer,

    /// <summary>The connection breaks before the next write.</summary>
    BrokenConnection,

    /// <summary>The API server fails for a moment.</summary>
    ServerError,

    /// <summary>All watches of some kind end.</summary>
    WatchesEnd,

    /// <summary>The same, and what happened since is forgotten.</summary>
    HistoryForgotten,

    /// <summary>svcwatcher ends and starts again.</summary>
    Restart,

    /// <summary>A second one begins, before the first one ends.</summary>
    TakeOver,

    /// <summary>Nothing, for long enough that something may be done.</summary>
    Pause,
}

/// <summary>One of them.</summary>
/// <param name="What">What happens.</param>
/// <param name="Which">To which object, and how: read digit by digit.</param>
public readonly record struct ClusterStep(ClusterHappening What, int Which)
{
    public override string ToString() => $"{What}({Which})";
}

/// <summary>Makes choices of one number.</summary>
internal struct Choices(int number)
{
    /// <summary>From 0, less than <paramref name="count"/>.</summary>
    public int Next(int count)
    {
        var digit = number % count;
        number /= count;
        return digit;
    }

    public T Of<T>(params ReadOnlySpan<T> all) => all[Next(all.Length)];
}
