namespace Danm.Api;

/// <summary>
/// Texts that many objects have, each kept once: of fifty thousand Pods the namespaces, nodes and labels are few. What was not seen for
/// a while is forgotten, so that nothing piles up that only one object has.
/// </summary>
internal static class SharedText
{
    private const int Slots = 8192;

    private static readonly string?[] Known = new string?[Slots];

    /// <summary>The same text, and the same object as before where it is known. Safe for any number of threads.</summary>
    public static string? Of(string? text)
    {
        if (text is null)
            return null;
        ref var slot = ref Known[(uint)text.GetHashCode() % Slots];
        if (slot is { } known && known == text)
            return known;
        return slot = text;
    }

    /// <summary>The same labels, of texts that are shared.</summary>
    public static Dictionary<string, string> Of(Dictionary<string, string> labels)
    {
        var shared = new Dictionary<string, string>(labels.Count);
        foreach (var (key, value) in labels)
            shared[Of(key)!] = Of(value)!;
        return shared;
    }
}
