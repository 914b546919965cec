namespace Danm.Tests.Dns;

/// <summary>A domain name: its labels from the host up, without the root's empty one. Case does not matter, but is kept.</summary>
public sealed class DnsName(IReadOnlyList<string> labels) : IEquatable<DnsName>
{
    public static readonly DnsName Root = new([]);

    public IReadOnlyList<string> Labels { get; } = labels;

    /// <param name="text">With or without a dot at its end.</param>
    public static DnsName Parse(string text) => text.TrimEnd('.') is { Length: > 0 } name ? new(name.Split('.')) : Root;

    public DnsName Under(DnsName zone) => new([.. Labels, .. zone.Labels]);

    /// <summary>The labels below a zone; null if this is no name of it.</summary>
    public IReadOnlyList<string>? Within(DnsName zone)
    {
        var depth = Labels.Count - zone.Labels.Count;
        return depth >= 0 && new DnsName([.. Labels.Skip(depth)]).Equals(zone) ? [.. Labels.Take(depth)] : null;
    }

    public bool Equals(DnsName? other) => other is not null && Labels.SequenceEqual(other.Labels, StringComparer.OrdinalIgnoreCase);

    public override bool Equals(object? obj) => Equals(obj as DnsName);

    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(ToString());

    public override string ToString() => string.Join('.', Labels) + ".";
}
