using System.Globalization;

namespace Danm.Networks.Admission;

/// <summary>The ids of a <c>vniRange</c>, such as <c>2000-2500,2601</c>: numbers and ranges in any order, which may overlap.</summary>
public sealed class VniRanges
{
    // The CRD's limit for the text; it bounds the parts as well.
    private const int MaxLength = 1024;

    // Ascending, neither overlapping nor adjacent.
    private readonly List<(int First, int Last)> ranges;

    private VniRanges(List<(int First, int Last)> ranges) => this.ranges = ranges;

    /// <summary>How many ids there are; each counts once.</summary>
    public int Count => ranges.Sum(range => range.Last - range.First + 1);

    /// <summary>Every id, ascending; made as they are asked for.</summary>
    public IEnumerable<int> All
    {
        get
        {
            foreach (var (first, last) in ranges)
            {
                for (var id = first; id <= last; id++)
                    yield return id;
            }
        }
    }

    /// <summary>Reads the text.</summary>
    /// <param name="text">Untrusted.</param>
    /// <param name="encapsulation">Its ids end at 4094, resp. at 16777214; both begin at 1.</param>
    /// <param name="result">The ids, of which there is at least one.</param>
    /// <param name="why">What is allowed, as the end of a sentence; empty on success.</param>
    public static bool TryParse(string? text, Encapsulation encapsulation, out VniRanges result, out string why)
    {
        var most = encapsulation switch { Encapsulation.Vlan => 4094, Encapsulation.Vxlan => 16777214, _ => 0 };
        (result, why) = (new VniRanges([]), "");
        if (most == 0)
            why = "needs the vniType vlan or vxlan";
        else if (text is null || text.Length is 0 or > MaxLength)
            why = $"must be ids and ranges of ids such as 2000-2500,2601 in at most {MaxLength} characters";
        if (why.Length > 0)
            return false;

        var parts = new List<(int First, int Last)>();
        foreach (var part in text!.Split(','))
        {
            if (!TryParsePart(part, out var range))
                why = $"must be ids and ranges of ids such as 2000-2500,2601 without blanks, which {NetworkFault.Quote(part)} is not";
            else if (range.First < 1 || range.Last > most || range.First > most)
                why = $"must lie within 1 to {most}, which {part} does not";
            else if (range.First > range.Last)
                why = $"must have the lower end of each range first, which {part} has not";
            if (why.Length > 0)
                return false;
            parts.Add(range);
        }

        result = new VniRanges(Merge(parts));
        return true;
    }

    /// <summary>Whether the id is one of them.</summary>
    public bool Contains(int id) => ranges.Exists(range => id >= range.First && id <= range.Last);

    /// <summary>Whether an id is in both.</summary>
    public bool Overlaps(VniRanges other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return ranges.Exists(range => other.ranges.Exists(theirs => range.First <= theirs.Last && theirs.First <= range.Last));
    }

    /// <summary>The ranges in their shortest spelling.</summary>
    public override string ToString() =>
        string.Join(',', ranges.Select(range => range.First == range.Last ? $"{range.First}" : $"{range.First}-{range.Last}"));

    private static bool TryParsePart(string part, out (int First, int Last) range)
    {
        var dash = part.IndexOf('-');
        var (first, last) = dash < 0 ? (part, part) : (part[..dash], part[(dash + 1)..]);
        range = default;
        return TryParseId(first, out range.First) && TryParseId(last, out range.Last);
    }

    private static bool TryParseId(string text, out int id) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);

    private static List<(int First, int Last)> Merge(List<(int First, int Last)> parts)
    {
        parts.Sort();
        var merged = new List<(int First, int Last)>(parts.Count);
        foreach (var part in parts)
        {
            if (merged.Count > 0 && part.First <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, part.Last));
            else
                merged.Add(part);
        }

        return merged;
    }
}
