namespace Danm.Networks.Admission;

/// <summary>What the rules say of an object that somebody wants to create or change.</summary>
/// <param name="Faults">Why it must be denied, everything at once; empty if it may pass. Messages end with the rule's number.</param>
/// <param name="Warnings">What its author should know although it passes; a line each, safe for terminals.</param>
public sealed record Verdict(IReadOnlyList<NetworkFault> Faults, IReadOnlyList<string> Warnings)
{
    /// <summary>
    /// Splits faults of an object's state into those that an update brings and those that the stored object has as well: the latter
    /// do not deny an update, or nobody could mend one thing without mending all.
    /// </summary>
    internal static Verdict Of(IEnumerable<NetworkFault> faults, IReadOnlyCollection<NetworkFault> before)
    {
        var known = before.ToHashSet();
        var (denials, warnings) = (new List<NetworkFault>(), new List<string>());
        foreach (var fault in faults.Distinct())
        {
            if (known.Contains(fault))
                warnings.Add($"kept as it was: {Numbered(fault)}");
            else
                denials.Add(Numbered(fault));
        }

        return new Verdict(denials, warnings);
    }

    /// <summary>The fault with its rule at the message's end.</summary>
    internal static NetworkFault Numbered(NetworkFault fault) =>
        fault.Rule is null ? fault : fault with { Message = $"{fault.Message} (rule {fault.Rule})" };
}
