namespace Danm.Ipam.Garbage;

/// <summary>What is to become of a sandbox.</summary>
public enum Outcome
{
    /// <summary>It lives, or its Pod does: nothing to say.</summary>
    Keep,

    /// <summary>It may be garbage, and a later pass can know: too young, or the API server did not answer.</summary>
    Wait,

    /// <summary>It looks like garbage, and nothing on this node can prove it: an operator decides.</summary>
    Suspect,

    /// <summary>It looks dead only because namespaces are looked for in the wrong place.</summary>
    WrongMount,

    /// <summary>It is garbage.</summary>
    Free,
}

/// <summary>The decision about a sandbox.</summary>
/// <param name="Sandbox">The sandbox.</param>
/// <param name="Outcome">What is to become of it.</param>
/// <param name="Reason">Why, for an operator.</param>
public sealed record Verdict(ObservedSandbox Sandbox, Outcome Outcome, string Reason);
