namespace Danm.Tests.Tenants;

/// <summary>What can happen to tenants' ids.</summary>
public enum VniHappening
{
    /// <summary>A TenantNetwork is created: its id is reserved, and it is stored.</summary>
    Create,

    /// <summary>The same, with a name that the server makes when it stores it.</summary>
    CreateGenerated,

    /// <summary>An id is reserved, and then something else denies the request.</summary>
    Denied,

    /// <summary>An id is reserved, and the request is stored later, if it is within a minute.</summary>
    Admitted,

    /// <summary>The first of these that is left is stored.</summary>
    StoreLate,

    /// <summary>A TenantNetwork is deleted.</summary>
    Delete,

    /// <summary>A TenantNetwork is created, and stored so that nobody can read it, as before there was a schema.</summary>
    CreateOdd,

    /// <summary>An ADD reads a network.</summary>
    PodReads,

    /// <summary>The first of these that has time left writes its Pod's objects.</summary>
    PodStands,

    /// <summary>The same, so that nobody can read them.</summary>
    PodStandsOddly,

    /// <summary>A Pod's DanmEp goes, or its address after that.</summary>
    PodEnds,

    /// <summary>A controller looks at all. Two of them think that they lead.</summary>
    Pass,

    /// <summary>A controller starts anew, or another one leads.</summary>
    Restart,

    /// <summary>Less time passes than a request may take.</summary>
    Moment,

    /// <summary>Half of the grace passes.</summary>
    HalfGrace,

    /// <summary>The whole grace passes.</summary>
    Grace,

    /// <summary>Somebody deletes a VNIAllocation.</summary>
    Mistake,

    /// <summary>A TenantNetwork with an id of its own choice is stored while no webhook is there.</summary>
    Bypass,

    /// <summary>The next write commits, and its answer is lost with the connection.</summary>
    LoseAnswer,

    /// <summary>The connection breaks before the next write.</summary>
    BreakConnection,

    /// <summary>The API server fails for a moment.</summary>
    ServerError,

    /// <summary>The next update or delete of a VNIAllocation is refused as a conflict.</summary>
    Conflict,

    /// <summary>The next list is refused.</summary>
    NoList,
}

/// <summary>One of them.</summary>
/// <param name="What">What happens.</param>
/// <param name="Which">To which network, id, controller or webhook.</param>
public readonly record struct VniHistoryStep(VniHappening What, int Which)
{
    public override string ToString() => $"{What}({Which})";
}
