namespace Danm.State;

/// <summary>A journal as a look without its lock finds it.</summary>
/// <param name="PodUid">The sandbox's identity.</param>
/// <param name="ContainerId">CNI_CONTAINERID.</param>
/// <param name="Written">When a call last wrote to it, by this node's clock.</param>
/// <param name="Last">The last whole record; null if a call has just begun, or ended before it wrote the first, or the file is damaged.</param>
/// <param name="IsDamaged">Whether there is content, and not one line of it can be read, or be believed.</param>
public sealed record JournalSight(string PodUid, string ContainerId, DateTimeOffset Written, SandboxRecord? Last, bool IsDamaged)
{
    /// <summary>The folder entry.</summary>
    public string Key => SandboxRecord.KeyOf(PodUid, ContainerId);
}
