namespace Danm.Api;

/// <summary>Objects that stand for what the original gave out: no node of ours knows their sandboxes.</summary>
public static class ImportedObject
{
    /// <summary>Whether an object has the mark, as an annotation or as a label, of whatever value.</summary>
    public static bool Is(ObjectMeta metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.Annotations?.ContainsKey(ApiNames.ImportedMark) == true || metadata.Labels?.ContainsKey(ApiNames.ImportedMark) == true;
    }
}
