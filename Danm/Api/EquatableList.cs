namespace Danm.Api;

/// <summary>A list that is equal to another of equal items, so that records with lists compare as a whole.</summary>
public sealed class EquatableList<T> : List<T>, IEquatable<EquatableList<T>>
{
    /// <inheritdoc/>
    public bool Equals(EquatableList<T>? other) => other is not null && this.SequenceEqual(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as EquatableList<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var item in this)
            hash.Add(item);
        return hash.ToHashCode();
    }
}
